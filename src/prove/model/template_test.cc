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

}  // namespace
}  // namespace prove
