// The tables of the configuration's keys: one row a key, one file a subject (tables.h). From them come the
// parser (reader.cc), the JSON Schema (schema.cc), docs/configuration.md (reference.cc), what a reload may
// change (changed_but_fixed) and what it leaves as it was (fingerprint.h). Campaign files have tables of
// their own, of the same rows (src/prove/load/keys.cc).
//
// Owner:  the program; rows are constants.
// Thread: any.
//
// A Section is a map with fixed keys. Where a Section has a shorthand, a bare value stands for that key:
// `cache: off` is `cache: { enabled: off }`; so does a bare list where that key takes one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace config {

class Reader;
class Print;
struct YamlNode;
struct Section;

enum class Kind : std::uint8_t {
  kSwitch,
  kCount,
  kSize,
  kDuration,
  kText,
  kFile,    // a path, relative to the folder of the configuration file
  kSecret,  // never shown
  kWord,    // one of Row::words
  kAddress,
  kNetwork,
  kUrl,
  kForm,     // a scalar written as Row::form says
  kSection,  // Row::sections[0]
  kNamed,    // a map of chosen names; each value one of Row::sections, told apart by its key `type`
  kPairs,    // a map of free names to scalars
  kOpen,     // a map of free names to anything
  kPlanned,  // known, but does not work yet: an error of its own
};

enum class Reload : std::uint8_t { kLive, kRestart };

// What depends on a key of an origin or an identity, and so on which fingerprints it has a part
// (fingerprint.h).
enum class Decides : std::uint8_t {
  kUnsaid = 0,   // no such key
  kNothing = 1,  // neither; or it speaks through other keys, as `credentials` does through `access_key_id`
  // An origin: what it replies; belongs to the identity of what is cached, so that a change finds nothing of
  // before. An identity: whether a token is good; a change has remembered tokens verified again.
  kAnswer = 2,
  // How another server is asked: a change makes new connections (of an identity: fetches published keys
  // anew), and what is cached or remembered stays.
  kTransport = 4,
  kBoth = kAnswer | kTransport,
};
constexpr bool decides(Decides what, Decides any_of) {
  return (static_cast<unsigned>(what) & static_cast<unsigned>(any_of)) != 0;
}

// Inclusive, in the unit of the row's grammar (count, bytes, milliseconds); 0 and 0: none.
struct Bounds {
  std::uint64_t least = 0;
  std::uint64_t most = 0;

  consteval Bounds() = default;
  consteval Bounds(std::uint64_t from, std::uint64_t to) : least(from), most(to) {}
  consteval Bounds(Millis from, Millis to)
      : least(static_cast<std::uint64_t>(from.count())), most(static_cast<std::uint64_t>(to.count())) {}
  constexpr bool exist() const { return most != 0; }
};

// In the default's column: the key has to be given.
inline constexpr std::string_view kRequired = "required";

struct Row {
  std::string_view name;
  Kind kind{};
  bool list = false;          // several; one may stand without its brackets
  std::string_view fallback;  // the default as a file would write it; in parentheses: what it is made from
  Bounds bounds;
  Reload reload = Reload::kLive;
  Decides decides = Decides::kUnsaid;
  std::string_view text;  // one sentence or two
  std::span<const std::string_view> words;
  std::string_view form;  // of kForm: how the reference says it is written, in Markdown
  std::string_view
      pattern;  // of kForm, and of a kUrl with a rule of its own: that a text must match (ECMA 262)
  std::span<const Section* const> sections;

  void (*read)(Reader&, const Row&, const YamlNode&, void* owner) = nullptr;
  std::string (*show)(const void* owner) = nullptr;    // the value as text; none for secrets and sections
  void (*print)(const void* owner, Print&) = nullptr;  // the value, of a row that decides something
  const void* (*part)(const void* owner) =
      nullptr;                      // of a single section: the member it fills; null: not there
  const void* owner_tag = nullptr;  // the type that read(), show() and print() expect
  bool said_within = false;         // of a section: each of its rows says what it decides

  bool required() const { return fallback == kRequired; }
};

struct Section {
  std::string_view name;  // "origin-timeouts": of the definition in the schema
  std::string_view type;  // the value of the key `type` that chooses it; "": not chosen by type
  std::string_view text;
  std::span<const Row> rows;
  std::string_view shorthand;
  void (*check)(Reader&, const YamlNode&, void* owner) = nullptr;  // what no single row can tell
  std::shared_ptr<void> (*fresh)() = nullptr;  // an owner as a file that says nothing leaves it
  const Section* common =
      nullptr;  // keys of every type, for an owner of their own: Reader::common() reads them

  const Row* find(std::string_view key) const;
};

// A Section whose rows all say what they decide; proven while compiling (rows::decided()).
struct Decided : Section {};

const Section& root_section();  // owner: Config

// A bound as a file would write it: 16KiB, 10s, 128.
std::string show_bound(Kind kind, std::uint64_t bound);

// The keys that differ between two configurations and that a reload cannot change, as paths.
std::vector<std::string> changed_but_fixed(const Config& before, const Config& after);

}  // namespace config
