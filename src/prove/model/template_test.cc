#include "prove/model/template.h"

#include <gtest/gtest.h>

namespace prove {
namespace {

Template compiled(std::string_view text, Slots& slots) {
  auto result = Template::compile(text, slots);
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error());
  return result ? *std::move(result) : Template();
}

TEST(Template, RendersLiteralsAndValuesInTurn) {
  Slots slots;
  const Template t = compiled("/objects/{{keys}}?n={{iteration}}&again={{keys}}", slots);
  Values values(slots.size());
  values[*slots.find("keys")] = "a.bin";
  values[*slots.find("iteration")] = "7";
  EXPECT_EQ(t.render(values), "/objects/a.bin?n=7&again=a.bin");
  EXPECT_EQ(t.slots().size(), 2u);
  EXPECT_FALSE(t.constant());
}

TEST(Template, AppendsToWhatIsThere) {
  Slots slots;
  const Template t = compiled("{{a}}{{b}}", slots);
  std::string out = "x";
  t.append_to(out, {"1", "2"});
  EXPECT_EQ(out, "x12");
}

TEST(Template, IsConstantWithoutAHole) {
  Slots slots;
  const Template t = compiled("plain { } }} text", slots);
  EXPECT_TRUE(t.constant());
  EXPECT_EQ(t.render({}), "plain { } }} text");
  EXPECT_EQ(slots.size(), 0u);
  EXPECT_TRUE(compiled("", slots).empty());
}

TEST(Template, WritesPlainBracesWhenFourAreGiven) {
  Slots slots;
  const Template t = compiled("a {{{{b}} {{ c.d-e_1 }}", slots);
  EXPECT_EQ(t.render({"X"}), "a {{b}} X");
  EXPECT_EQ(slots.name(0), "c.d-e_1");
}

TEST(Template, SharesSlotsAmongTemplates) {
  Slots slots;
  compiled("{{a}}", slots);
  compiled("{{b}}{{a}}", slots);
  EXPECT_EQ(slots.size(), 2u);
  EXPECT_FALSE(slots.find("c").has_value());
}

TEST(Template, RefusesBracesThatNameNothing) {
  Slots slots;
  const auto error = [&slots](std::string_view text) { return Template::compile(text, slots).error(); };
  EXPECT_EQ(error("/{{keys"), "has a '{{' without its '}}' (write '{{{{' for a plain '{{')");
  for (const std::string_view bad : {"{{}}", "{{ }}", "{{a b}}", "{{a/b}}", "{{{a}}}"})
    EXPECT_EQ(error(bad), "has a '{{' that does not name a value (write '{{{{' for a plain '{{')") << bad;
}

std::string target(std::string_view text, const std::string& value) {
  Slots slots;
  std::string out;
  EXPECT_TRUE(compiled(text, slots).append_target_to(out, {value})) << out;
  return out;
}

TEST(Template, EncodesAValueWhereItsPlaceInAPathCannotHoldIt) {
  EXPECT_EQ(target("/{{a}}", "b c/d?e#f%g\r\n\x7f\xff"), "/b%20c/d%3Fe%23f%25g%0D%0A%7F%FF");
  EXPECT_EQ(target("/x?a={{a}}", "b&c=d+e;f/g?h"), "/x?a=b%26c%3Dd%2Be%3Bf/g?h");
  EXPECT_EQ(target("{{a}}/x", "/b?c=%20&d=\"e\" "), "/b?c=%20&d=%22e%22%20/x");
  EXPECT_EQ(target("/{{a|raw}}", "b?c=%2F&d#"), "/b?c=%2F&d#");
  EXPECT_EQ(target("/{{ a |raw }}", "b"), "/b");
  EXPECT_EQ(target("/lit eral{{a}}", ""), "/lit eral");
}

TEST(Template, SaysWhichValuesWouldEndTheirLine) {
  Slots slots;
  const Template raw = compiled("/{{a|raw}}", slots), field = compiled("x{{a}}", slots);
  EXPECT_EQ(raw.raw_slots(), std::vector<std::size_t>{0});
  EXPECT_TRUE(field.raw_slots().empty());
  std::string out;
  for (const std::string& bad : {std::string("a\r\nb"), std::string("a\n"), std::string("\0", 1)}) {
    EXPECT_FALSE(raw.append_target_to(out, {bad}));
    EXPECT_FALSE(field.append_field_to(out, {bad}));
  }
  for (const char* bad : {"a b", "a\t", "\x1f", "\x7f"}) {
    EXPECT_FALSE(raw.append_target_to(out, {bad}));
    EXPECT_TRUE(field.append_field_to(out, {bad}));
  }
}

TEST(Template, TakesAValueThatBeginsAPathForAWholeTarget) {
  Slots slots;
  const Template path = compiled("{{a}}", slots), more = compiled("{{a}}/x", slots);
  const Template later = compiled("/{{a}}", slots);
  EXPECT_EQ(path.begins_with_value(), 0u);
  EXPECT_FALSE(later.begins_with_value().has_value());
  std::string out;
  for (const char* good : {"/", "/b", "http://h/b", "https://h/b"})
    EXPECT_TRUE(path.append_target_to(out, {good}));
  for (const char* bad : {"", "b", "?b", "ftp://h/b"}) EXPECT_FALSE(path.append_target_to(out, {bad})) << bad;
  EXPECT_TRUE(more.append_target_to(out, {""}));
  EXPECT_FALSE(more.append_target_to(out, {"b"}));
  EXPECT_TRUE(later.append_target_to(out, {""}));
}

TEST(Template, EscapesWhereItSaysSo) {
  const auto escaped = [](std::string_view text, const std::string& value) {
    Slots slots;
    return compiled(text, slots).render({value});
  };
  EXPECT_EQ(escaped("{{a|json}}", "\"b\\\n\x01\xc3\xa4/\""), "\\\"b\\\\\\n\\u0001\xc3\xa4/\\\"");
  EXPECT_EQ(escaped("{{ a | url }}", "b c/d~e&%"), "b%20c%2Fd~e%26%25");
  EXPECT_EQ(escaped("<{{a|base64}}>", ""), "<>");
  EXPECT_EQ(escaped("{{a|base64}}", "f"), "Zg==");
  EXPECT_EQ(escaped("{{a|base64}}", "fo"), "Zm8=");
  EXPECT_EQ(escaped("{{a|base64}}", "foobar\xff\xfe\xfd"), "Zm9vYmFy//79");
  EXPECT_EQ(escaped("{{a|base64|url}}", "f"), "Zg%3D%3D");
  EXPECT_EQ(target("/{{a|url}}?x={{a|url}}", "b/c"), "/b%2Fc?x=b%2Fc");  // and not twice
  EXPECT_EQ(target("/{{a|base64}}", "f?"), "/Zj8=");
  EXPECT_EQ(target("/?x={{a|base64}}", "f?"), "/?x=Zj8%3D");
  EXPECT_EQ(target("/{{a|json|raw}}", "\t"), "/\\t");
}

TEST(Template, EscapesALineBreakIntoAField) {
  Slots slots;
  std::string out;
  EXPECT_TRUE(compiled("{{a|json}}", slots).append_field_to(out, {"b\r\nc"}));
  EXPECT_EQ(out, "b\\r\\nc");
}

TEST(Template, RefusesAnEscapeThatItDoesNotKnow) {
  Slots slots;
  const auto error = [&slots](std::string_view text) { return Template::compile(text, slots).error(); };
  EXPECT_EQ(error("{{a|jsn}}"), "has a '|jsn', which is none of: raw, json, url, base64");
  EXPECT_EQ(error("{{a|raw|json}}"), "has a '|raw' that is not the last");
  EXPECT_EQ(error("{{a|}}"), "has a '|', which is none of: raw, json, url, base64");
}

TEST(Template, NamesAFunctionByItsCall) {
  Slots slots;
  compiled("{{random_string( 4,'a|b)' ) | url}} {{random_string(4, 'a|b)')}}", slots);
  ASSERT_EQ(slots.size(), 1u);
  EXPECT_EQ(slots.name(0), "random_string(4, 'a|b)')");
  EXPECT_EQ(Template::compile("{{random_string(0)}}", slots).error(),
            "has a 'random_string(0)', which needs a length of 1 to 65536: random_string(16)");
}

TEST(Template, IsLiteralBracesAndAll) {
  const Template t = Template::literal("a{{2}}b");
  EXPECT_TRUE(t.constant());
  EXPECT_EQ(t.render({}), "a{{2}}b");
  EXPECT_EQ(t.text(), "a{{2}}b");
}

}  // namespace
}  // namespace prove
