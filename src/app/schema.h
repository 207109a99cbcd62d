// What a JSON body looks like, declared once: it is read by this, written into the OpenAPI document by this,
// and tests hold replies against it.
//
// Owner:    tables of constants.  Thread: any.
// Lifetime: a Schema views tables that live as long as the process. An Object owns what was read.
// Failure:  one line that names the member: "level: must be one of trace, debug, info".
// Standard: RFC 8259 by text/json_reader.h, which refuses duplicates; JSON Schema 2020-12, as OpenAPI 3.1
//           wants it.
//
//   constexpr std::string_view kLevels[] = {"debug", "info"};
//   constexpr Member kMembers[] = {{"level", {.type = Type::kText, .one_of = kLevels}}};
//   constexpr Schema kBody = {.members = kMembers};
//   auto body = read_object(bytes, kBody);   // body->text("level")
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace app {

enum class Type : std::uint8_t { kObject, kText, kInteger, kNumber, kFlag, kList };
enum class Form : std::uint8_t { kAny, kUuid };  // of a text

struct Member;

struct Schema {
  Type type = Type::kObject;
  std::string_view about{};
  std::span<const std::string_view> one_of{};  // texts
  Form form = Form::kAny;
  // Of a text its bytes, of a list its items, of a number itself.
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  const Schema* items = nullptr;      // of a list
  std::span<const Member> members{};  // of an object
  bool open = false;                  // further members may follow
};

struct Member {
  std::string_view name;
  Schema schema;
  bool required = true;
};

struct Value;
struct Named;

class Object {
 public:
  const Value* find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  // Of a member that the schema has with this type, and that is there; else the other.
  std::string_view text(std::string_view name, std::string_view other = {}) const;
  std::int64_t integer(std::string_view name, std::int64_t other = 0) const;
  double number(std::string_view name, double other = 0) const;
  bool flag(std::string_view name, bool other = false) const;
  std::span<const Value> list(std::string_view name) const;
  const Object* object(std::string_view name) const;

  std::vector<Named> members;
};

struct Value {
  std::variant<bool, double, std::string, std::vector<Value>, Object> is;
};

struct Named {
  std::string name;
  Value value;
};

std::expected<Object, std::string> read_object(std::string_view text, const Schema& schema);

bool is_uuid(std::string_view text);  // RFC 9562 §4, either case

// Appends the schema as JSON Schema.
void append_json_schema(const Schema& schema, std::string& out);

}  // namespace app
