#include "prove/import/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace prove {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kHar = R"({"log": {"version": "1.2", "entries": [
  {"startedDateTime": "2026-11-28T10:00:01.500+01:00", "time": 40,
   "request": {"method": "POST", "url": "https://api.example.com/orders?api_key=hunter2hunter2&n=1#top",
     "headers": [{"name": ":authority", "value": "api.example.com"}, {"name": "Cookie", "value": "sid=chocolate"},
                 {"name": "Authorization", "value": "Bearer hunter3hunter3"}, {"name": "X-Trace", "value": "${a} {{b}}"},
                 {"name": "Content-Type", "value": "application/json"}],
     "postData": {"mimeType": "application/json", "text": "{\"price\": 19.90, \"password\": \"hunter4\"}"}},
   "response": {"status": 201}},
  {"startedDateTime": "2026-11-28T09:00:00Z", "time": 500.5,
   "request": {"method": "GET", "url": "https://api.example.com/", "headers": []}, "response": {"status": 304}},
  {"startedDateTime": "2026-11-28T09:00:02Z", "time": 1,
   "request": {"method": "GET", "url": "wss://api.example.com/live", "headers": []}, "response": {"status": 101}}
]}})";

const std::string kOpenApi = R"(openapi: 3.1.0
info: { title: Pets }
servers: [ { url: "https://{where}.example.com/v1", variables: { where: { default: api } } } ]
security: [ { bearer: [] } ]
components:
  securitySchemes: { bearer: { type: http, scheme: bearer }, key: { type: apiKey, in: query, name: key } }
  schemas:
    Pet:
      type: object
      required: [ name, price ]
      properties:
        id: { type: integer, readOnly: true }
        name: { type: string, example: Rex }
        price: { type: number, example: 19.90 }
        parent: { $ref: '#/components/schemas/Pet' }
paths:
  /pets/{id}:
    parameters: [ { name: id, in: path, required: true, schema: { type: integer, minimum: 7 } } ]
    get:
      tags: [ "read only" ]
      summary: One pet
      responses: { '404': {}, '200': {} }
    put:
      tags: [ write ]
      security: [ { key: [] } ]
      requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } }
      responses: { 2XX: {} }
  /odd: { get: { security: [], responses: { default: {} } } }
)";

std::string error_of(std::string_view text) {
  try {
    import_campaign(text, "f");
  } catch (const std::runtime_error& error) {
    const std::string what = error.what();
    EXPECT_TRUE(what.starts_with("f:")) << what;
    EXPECT_EQ(what.find('\n'), what.npos) << what;
    return what;
  }
  return "";
}

TEST(ImportOfHar, KeepsWhatWasSentInItsOrder) {
  const std::string out = import_campaign(kHar, "a.har");
  EXPECT_THAT(out, HasSubstr(R"("api-example-com": "${TARGET:-https://api.example.com}")"));
  EXPECT_LT(out.find(R"(- get: "/")"), out.find(R"(- post: "/orders?)"));
  EXPECT_THAT(
      out, HasSubstr("expect: 200\n        think: 1000ms\n"));  // what was 304, and 1.5 s less what it took
  EXPECT_THAT(out, HasSubstr("expect: 201\n"));
  EXPECT_THAT(out, HasSubstr(R"("X-Trace": "$${a} {{{{b}}")"));
  EXPECT_THAT(out, HasSubstr(R"("Content-Type": "application/json")"));
  EXPECT_THAT(out, HasSubstr("19.90"));
  EXPECT_THAT(out, HasSubstr("# - GET wss://api.example.com/live: no URL of http or https\n"));
  EXPECT_THAT(out, HasSubstr("success == 100%"));
}

TEST(ImportOfHar, KeepsNoSecret) {
  const std::string out = import_campaign(kHar, "a.har");
  EXPECT_THAT(out, Not(HasSubstr("hunter")));
  EXPECT_THAT(out, Not(HasSubstr("chocolate")));
  EXPECT_THAT(out, HasSubstr("/orders?api_key=${API_KEY:-to-be-given}&n=1"));
  EXPECT_THAT(out, HasSubstr("Bearer ${TOKEN:-to-be-given}"));
  EXPECT_THAT(out, HasSubstr(R"(\"password\":\"${PASSWORD:-to-be-given}\")"));
  EXPECT_THAT(out, HasSubstr("# - the cookies of 1 requests"));
}

TEST(ImportOfHar, HidesASecretWhereverItStands) {
  const std::string out = import_campaign(
      R"({"log": {"entries": [{"startedDateTime": "2026-11-28T09:00:00Z",
          "request": {"method": "GET", "url": "http://h/a/abcdefghijklmnop?x=abcdefghijklmnop",
          "headers": [{"name": "X-Api-Key", "value": "abcdefghijklmnop"}]}, "response": {"status": 200}}]}})",
      "a.har");
  EXPECT_THAT(out, Not(HasSubstr("abcdefghijklmnop")));
}

TEST(ImportOfOpenApi, MakesAStepOfEachOperationAndAScenarioOfEachTag) {
  const std::string out = import_campaign(kOpenApi, "pets.yaml");
  EXPECT_THAT(out, HasSubstr(R"("${TARGET:-https://api.example.com/v1}")"));
  EXPECT_THAT(out, HasSubstr("\"read-only\":\n    steps:\n      # One pet\n      # id is made up: 7.\n"
                             "      - get: \"/pets/7\"\n"));
  EXPECT_THAT(out, HasSubstr("Bearer ${TOKEN:-to-be-given}"));
  EXPECT_THAT(out, HasSubstr("expect: 200\n"));
  EXPECT_THAT(out, HasSubstr(R"(- put: "/pets/7?key=${KEY:-to-be-given}")"));
  EXPECT_THAT(out, HasSubstr(R"(body: "{\"name\":\"Rex\",\"price\":19.90}")"));
  EXPECT_THAT(out, HasSubstr("expect: 2xx\n"));
  EXPECT_THAT(out, HasSubstr("\"untagged\":\n    steps:\n      - get: \"/odd\"\n\n"));
}

TEST(ImportOfOpenApi, EndsWhereSchemasGoRoundInCircles) {
  const std::string head =
      "openapi: 3.0.3\npaths: { /a: { post: { requestBody: { content: { application/json: { schema: { $ref: "
      "'#/components/schemas/A' } } } } } } }\ncomponents: { schemas: { ";
  EXPECT_NE(import_campaign(head + "A: { $ref: '#/components/schemas/A' } } }", "f"), "");
  EXPECT_NE(import_campaign(head + "A: { allOf: [ { $ref: '#/components/schemas/A' }, { $ref: "
                                   "'#/components/schemas/A' } ] } } }",
                            "f"),
            "");
  const std::string wide =
      "A: { type: object, properties: { a: &x { $ref: '#/components/schemas/A' }, b: *x, c: *x, d: *x, e: "
      "*x, f: "
      "*x, g: *x, h: *x } } } }";
  EXPECT_LT(import_campaign(head + wide, "f").size(), 64u << 10);
}

TEST(ImportErrors, SayWhatIsWrongInOneLine) {
  EXPECT_EQ(error_of(""), "f: is empty");
  EXPECT_EQ(error_of("{"), "f: is not JSON");
  EXPECT_EQ(error_of("{}"), "f: is neither HAR (a member 'log') nor OpenAPI (a member 'openapi')");
  EXPECT_EQ(error_of("swagger: '2.0'"), "f: is Swagger 2.0; OpenAPI 3.0 and 3.1 can be read");
  EXPECT_EQ(error_of("openapi: 4.0.0"), "f: openapi is '4.0.0'; 3.0 and 3.1 can be read");
  EXPECT_EQ(error_of("openapi: 3.0.0"), "f: paths is missing, or no map");
  EXPECT_EQ(error_of("openapi: 3.0.0\npaths: {}"), "f: has no request that can be sent");
  EXPECT_EQ(error_of("a: 1\na: 2"), "f:2: 'a' is given twice");
  EXPECT_EQ(error_of(R"({"log": {}})"), "f: log.entries is no list");
  EXPECT_EQ(error_of(R"({"log": {"entries": [{}]}})"), "f: log.entries[0].request.method is missing");
  EXPECT_EQ(error_of(R"({"log": {"entries": [{"request": {"method": "GET"}}]}})"),
            "f: log.entries[0].request.url is missing");
  EXPECT_EQ(error_of(R"({"log": {"entries": [{"request": {"method": "GET", "url": "http://h"}}]}})"),
            "f: log.entries[0].startedDateTime is no time such as 2026-11-28T10:00:00.000Z");
  EXPECT_EQ(error_of(std::string("a\0b", 3)), "f: holds a NUL byte; is it a text file?");
}

// Whatever is cut off or changed: a campaign, or one line.
TEST(ImportErrors, AreAllThatHappensToABrokenDocument) {
  for (const std::string& whole : {kHar, kOpenApi}) {
    for (std::size_t n = 0; n < whole.size(); n += 3) error_of(std::string_view(whole).substr(0, n));
    std::string broken = whole;
    for (std::size_t i = 0; i < whole.size(); i += 5) {
      for (const char c : {'[', '}', '"', '\x01', '\xff', '$'}) {
        broken[i] = c;
        error_of(broken);
      }
      broken[i] = whole[i];
    }
  }
  error_of(std::string(100'000, '['));
  error_of("{" + std::string(100'000, '"'));
  std::string deep = R"({"log": )";
  for (int i = 0; i < 100'000; ++i) deep += R"({"a": )";
  EXPECT_EQ(error_of(deep), "f: is not JSON");
}

}  // namespace
}  // namespace prove
