#include "prove/record/json_exact.h"

#include <gtest/gtest.h>

#include <bit>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <random>
#include <stdexcept>

namespace prove {
namespace {

TEST(JsonExact, BringsNumbersBackToTheLastDigit) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const double d = std::bit_cast<double>(random());
    if (!std::isfinite(d)) continue;
    const std::string text = boost::json::serialize(boost::json::value(d));
    ASSERT_EQ(parse_exact(text).as_double(), d) << text;
  }
  EXPECT_EQ(parse_exact("18446744073709551615").as_uint64(), ~std::uint64_t{0});
  EXPECT_EQ(parse_exact("-5").as_int64(), -5);
}

TEST(JsonExact, BuildsTheWholeTree) {
  const boost::json::value v = parse_exact(R"( {"a": [1, 2.5, true, null, "x\ny\u00e9"], "b": {"c": {}}} )");
  EXPECT_EQ(boost::json::serialize(v), "{\"a\":[1,2.5E0,true,null,\"x\\ny\xc3\xa9\"],\"b\":{\"c\":{}}}");
}

TEST(JsonExact, RefusesWhatIsNoJson) {
  for (const char* text : {"", "{", "{\"a\":}", "[1,]", "nul", "1 2", "{\"a\":1}x", "\"\xff\""})
    EXPECT_THROW((void)parse_exact(text), std::runtime_error) << text;
}

}  // namespace
}  // namespace prove
