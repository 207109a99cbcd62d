#include "app/schema.h"

#include <gtest/gtest.h>

#include <string>

#include "app/openapi.h"
#include "text/json_reader.h"

namespace app {
namespace {

constexpr std::string_view kKinds[] = {"person", "robot"};
constexpr Schema kTag{.type = Type::kText, .least = 1, .most = 8};
constexpr Member kOwnerMembers[] = {
    {"id", {.type = Type::kText, .form = Form::kUuid}},
    {"name", {.type = Type::kText}, false},
};
constexpr Schema kPoint{.type = Type::kNumber, .least = -1};
constexpr Member kMembers[] = {
    {"kind", {.type = Type::kText, .about = "What it is.", .one_of = kKinds}},
    {"owner", {.type = Type::kObject, .members = kOwnerMembers}, false},
    {"tags", {.type = Type::kList, .most = 2, .items = &kTag}, false},
    {"points", {.type = Type::kList, .items = &kPoint}, false},
    {"on", {.type = Type::kFlag}, false},
    {"size", {.type = Type::kInteger, .least = 0}, false},
};
constexpr Schema kSchema{.members = kMembers};

std::string fault(std::string_view json) {
  const auto read = read_object(json, kSchema);
  return read ? "" : read.error();
}

TEST(Schema, ReadsWhatItDeclares) {
  const auto read = read_object(R"(
    {"kind":"robot", "owner":{"id":"0190b5a0-6d4c-7e55-9d3b-0123456789AB","name":"\u00e4"},
     "tags":["a","b"], "points":[1.5,-1], "on":true, "size":42}
  )",
                                kSchema);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->text("kind"), "robot");
  ASSERT_NE(read->object("owner"), nullptr);
  EXPECT_EQ(read->object("owner")->text("name"), "\xc3\xa4");
  ASSERT_EQ(read->list("tags").size(), 2U);
  EXPECT_EQ(std::get<std::string>(read->list("tags")[1].is), "b");
  EXPECT_EQ(std::get<double>(read->list("points")[0].is), 1.5);
  EXPECT_TRUE(read->flag("on"));
  EXPECT_EQ(read->integer("size"), 42);
  EXPECT_EQ(read->integer("absent", 7), 7);
  EXPECT_EQ(read->text("size", "other"), "other") << "another type is not converted";
}

TEST(Schema, NamesTheMemberThatIsWrong) {
  EXPECT_EQ(fault("{}"), "kind: is missing");
  EXPECT_EQ(fault(R"({"kind":"robto"})"), "kind: must be person or robot, did you mean 'robot'?");
  EXPECT_EQ(fault(R"({"kind":null})"), "kind: must be a string");
  EXPECT_EQ(fault(R"({"kind":"robot","owner":{"id":"7"}})"), "owner.id: must be a UUID");
  EXPECT_EQ(fault(R"({"kind":"robot","owner":{}})"), "owner.id: is missing");
  EXPECT_EQ(fault(R"({"kind":"robot","owner":{"idd":"7"}})"),
            "owner.idd: is not known here, did you mean 'id'?");
  EXPECT_EQ(fault(R"({"kind":"robot","owner":[]})"), "owner: must be an object");
  EXPECT_EQ(fault(R"({"kind":"robot","tags":["a",7]})"), "tags[1]: must be a string");
  EXPECT_EQ(fault(R"({"kind":"robot","tags":[""]})"), "tags[0]: must have at least 1 bytes");
  EXPECT_EQ(fault(R"({"kind":"robot","tags":["123456789"]})"), "tags[0]: must have at most 8 bytes");
  EXPECT_EQ(fault(R"({"kind":"robot","tags":["a","b","c"]})"), "tags: must have at most 2 items");
  EXPECT_EQ(fault(R"({"kind":"robot","points":[-2]})"), "points[0]: must be at least -1");
  EXPECT_EQ(fault(R"({"kind":"robot","on":1})"), "on: must be true or false");
  EXPECT_EQ(fault(R"({"kind":"robot","size":1e300})"), "size: must be a whole number");
  EXPECT_EQ(fault(R"({"kind":"robot","tag":[]})"), "tag: is not known here, did you mean 'tags'?");
}

TEST(Schema, RefusesWhatIsNoStrictJson) {
  constexpr std::string_view kWhy = "the body is no JSON object, or names a member twice";
  for (const std::string_view bad :
       {"", " ", "[]", "null", "{", R"({"kind":"robot")", R"({"kind":"robot"}})", R"({"kind":"robot",})",
        R"({"kind":"robot"} {"kind":"robot"})", "{\"kind\":\"\xff\"}"})
    EXPECT_EQ(fault(bad), kWhy) << bad;
  EXPECT_EQ(fault(R"({"kind":"robot","kind":"robot"})"), kWhy);
  EXPECT_NE(fault(R"({"kind":"robot","owner":{"id":"0190b5a0-6d4c-7e55-9d3b-0123456789ab","id":""}})"), "");
  EXPECT_NE(fault(R"({"kind":"robot","tags":["a")"), "");
}

TEST(Schema, IsWrittenAsJsonSchema) {
  std::string out;
  append_json_schema(kTag, out);
  EXPECT_EQ(out, R"({"type":"string","minLength":1,"maxLength":8})");
  out.clear();
  append_json_schema({.members = kOwnerMembers}, out);
  EXPECT_EQ(
      out,
      R"({"type":"object","properties":{"id":{"type":"string","format":"uuid"},"name":{"type":"string"}},)"
      R"("required":["id"],"additionalProperties":false})");
  out.clear();
  append_json_schema(kSchema, out);
  text::JsonSpace space;
  text::JsonReader in(out, space);
  for (std::string_view name; in.next(name);) in.skip();
  EXPECT_TRUE(in.complete()) << out;
}

TEST(Openapi, SaysOfEachOperationWhoMayAndWhatIsExchanged) {
  constexpr Handler kHandler =
      +[](Endpoint&, Call&) -> net::Task<base::Result<Answer>> { co_return Answer{}; };
  const Operation operations[] = {
      {.path = "/x/{id:uuid}/{n:int}",
       .id = "get_x",
       .summary = "An x.",
       .reply = &kTag,
       .handler = kHandler},
      {.method = http::Method::kPost,
       .path = "/x",
       .id = "make_x",
       .summary = "Makes it.",
       .body = &kSchema,
       .success = 201,
       .handler = kHandler},
      {.path = "/open", .id = "get_open", .summary = "Open.", .access = Access::kOpen, .handler = kHandler},
      {.path = "/x", .id = "list_x", .summary = "All.", .access = Access::kOpenLocally, .handler = kHandler},
  };
  const std::string document = openapi_document("Things", operations);
  const auto has = [&](std::string_view text) { return document.find(text) != std::string::npos; };
  EXPECT_TRUE(has(R"("openapi":"3.1.0","info":{"title":"Things")"));
  EXPECT_TRUE(has(R"("/x/{id}/{n}":{"get":{"operationId":"get_x")"));
  EXPECT_TRUE(has(R"({"name":"id","in":"path","required":true,"schema":{"type":"string","format":"uuid"}})"));
  EXPECT_TRUE(has(R"("requestBody":{"required":true,"content":{"application/json":{"schema":{)"));
  EXPECT_TRUE(has(R"("201":{"description":"Created")"));
  EXPECT_TRUE(has(R"("security":[{}])")) << "open to everybody";
  EXPECT_TRUE(has(R"("security":[{"bearer":[]}])"));
  EXPECT_TRUE(has(R"("security":[{},{"bearer":[]}])")) << "open here, with a credential elsewhere";
  const std::string_view json = std::string_view(document).substr(0, document.size() - 1);
  text::JsonSpace space;
  text::JsonReader in(json, space);  // duplicate keys would fail it
  for (std::string_view name; in.next(name);) in.skip();
  EXPECT_TRUE(in.complete()) << document;
}

}  // namespace
}  // namespace app
