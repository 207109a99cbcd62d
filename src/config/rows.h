// How a row of keys.cc is written: size<&Limits::head>("head", "16KiB", {1_KiB, 1_MiB}, kLive, "…"). The
// template argument ties the key to its member; the member's grammar and type follow. For tables of keys
// only.
//
// Rows are erased to void* for the walks; section<Owner>() proves while compiling that every row of a table
// belongs to that Owner.
#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "config/address.h"
#include "config/fingerprint.h"
#include "config/keys.h"
#include "config/reader.h"
#include "config/values.h"

namespace config::rows {

// What a change takes. Keys of origins and identities are all live, and say what they decide instead.
struct Effect {
  Reload reload = Reload::kLive;
  Decides decides = Decides::kUnsaid;
};
inline constexpr Effect kLive{};
inline constexpr Effect kRestart{.reload = Reload::kRestart};
inline constexpr Effect kAnswer{.decides = Decides::kAnswer};
inline constexpr Effect kTransport{.decides = Decides::kTransport};
inline constexpr Effect kBoth{.decides = Decides::kBoth};
inline constexpr Effect kNeither{.decides = Decides::kNothing};

consteval std::uint64_t operator""_KiB(unsigned long long n) {
  return n << 10;
}
consteval std::uint64_t operator""_MiB(unsigned long long n) {
  return n << 20;
}
consteval std::uint64_t operator""_GiB(unsigned long long n) {
  return n << 30;
}
consteval std::uint64_t operator""_TiB(unsigned long long n) {
  return n << 40;
}

template <class T>
inline constexpr char kTag = 0;

template <class T>
struct MemberOf;
template <class O, class V>
struct MemberOf<V O::*> {
  using Owner = O;
  using Value = V;
};
template <auto M>
using OwnerOf = typename MemberOf<decltype(M)>::Owner;
template <auto M>
using ValueOf = typename MemberOf<decltype(M)>::Value;

template <class T>
struct Unwrapped {
  using Type = T;
  static constexpr bool kList = false;
};
template <class T>
struct Unwrapped<std::optional<T>> : Unwrapped<T> {};
template <class T>
struct Unwrapped<std::vector<T>> {
  using Type = T;
  static constexpr bool kList = true;
};

// The names of an enumeration's values in their order; specialised beside the table.
template <class E>
struct WordsOf;

template <class E>
struct Words {
  using Value = E;
  static Parsed<E> parse(std::string_view text);
  static std::string show(E v) { return std::string(WordsOf<E>::kNames[static_cast<std::size_t>(v)]); }
};

std::string none_of(std::string_view text, std::span<const std::string_view> words);

template <class E>
Parsed<E> Words<E>::parse(std::string_view text) {
  for (std::size_t i = 0; i < std::size(WordsOf<E>::kNames); ++i)
    if (text == WordsOf<E>::kNames[i]) return static_cast<E>(i);
  return std::unexpected(none_of(text, WordsOf<E>::kNames));
}

template <class G>
typename G::Value read_value(Reader& reader, const Row& row, const YamlNode& node) {
  auto value = G::parse(reader.text(node));
  if (!value) reader.fail_value(row, node, value.error());
  if constexpr (requires { G::measure(*value); }) {
    const std::uint64_t n = G::measure(*value);
    if (row.bounds.exist() && (n < row.bounds.least || n > row.bounds.most)) {
      reader.fail_value(row, node,
                        "is out of bounds: " + show_bound(row.kind, row.bounds.least) + " to " +
                            show_bound(row.kind, row.bounds.most));
    }
  }
  return *std::move(value);
}

template <class V, class Visit>
void for_each_of(const V& value, Visit visit) {
  if constexpr (Unwrapped<V>::kList) {
    for (const auto& each : value) visit(each);
  } else if (value) {
    visit(*value);
  }
}

template <class G, class V>
std::string show_value(const V& value) {
  if constexpr (std::is_same_v<V, typename G::Value>) {
    return G::show(value);
  } else if constexpr (Unwrapped<V>::kList) {
    std::string out;
    for (const auto& each : value) out += (out.empty() ? "" : ", ") + G::show(each);
    return out.empty() ? "[]" : out;
  } else {
    return value ? G::show(*value) : "";
  }
}

template <class G, class V>
void print_value(const V& value, Print& out) {
  if constexpr (std::is_same_v<V, typename G::Value>) {
    if constexpr (requires { G::print(value, out); })
      G::print(value, out);
    else
      out.add(std::string_view(G::show(value)));
  } else {  // a list, or none or one
    std::uint64_t count = 0;
    for_each_of(value, [&count](const auto&) { ++count; });
    out.add(count);
    for_each_of(value, [&out](const auto& each) { print_value<G>(each, out); });
  }
}

struct Said {  // the part of a row that is only text
  std::string_view name;
  std::string_view fallback;
  Bounds bounds;
  Effect effect;
  std::string_view text;
};

template <auto M, class G>
consteval Row value(Kind kind, Said said) {
  using Owner = OwnerOf<M>;
  Row row{.name = said.name,
          .kind = kind,
          .list = Unwrapped<ValueOf<M>>::kList,
          .fallback = said.fallback,
          .bounds = said.bounds,
          .reload = said.effect.reload,
          .decides = said.effect.decides,
          .text = said.text,
          .words = {},
          .form = {},
          .pattern = {},
          .sections = {},
          .read = {},
          .show = {},
          .print = {},
          .part = {},
          .owner_tag = &kTag<Owner>};
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    auto& member = static_cast<Owner*>(owner)->*M;
    if constexpr (Unwrapped<ValueOf<M>>::kList) {
      std::size_t index = 0;
      Reader::Parts parts(reader);
      for (const YamlNode& item : reader.items(self, node)) {
        parts([&] {
          const Reader::Step step(reader, index++);
          member.push_back(read_value<G>(reader, self, item));
        });
      }
      parts.done();
    } else {
      member = read_value<G>(reader, self, node);
    }
  };
  if constexpr (requires { &G::show; })
    row.show = [](const void* owner) { return show_value<G>(static_cast<const Owner*>(owner)->*M); };
  if constexpr (
      requires(const typename G::Value& v, Print& out) { G::print(v, out); } || requires { &G::show; })
    row.print = [](const void* owner, Print& out) {
      print_value<G>(static_cast<const Owner*>(owner)->*M, out);
    };
  return row;
}

template <auto M>
consteval Row toggle(std::string_view name, std::string_view fallback, Effect effect, std::string_view text) {
  return value<M, Switch>(Kind::kSwitch, {name, fallback, {}, effect, text});
}
template <auto M>
consteval Row count(std::string_view name, std::string_view fallback, Bounds bounds, Effect effect,
                    std::string_view text) {
  return value<M, Count>(Kind::kCount, {name, fallback, bounds, effect, text});
}
template <auto M>
consteval Row size(std::string_view name, std::string_view fallback, Bounds bounds, Effect effect,
                   std::string_view text) {
  return value<M, Size>(Kind::kSize, {name, fallback, bounds, effect, text});
}
template <auto M>
consteval Row duration(std::string_view name, std::string_view fallback, Bounds bounds, Effect effect,
                       std::string_view text) {
  using G = std::conditional_t<std::is_same_v<typename Unwrapped<ValueOf<M>>::Type, Seconds>, WholeSeconds,
                               Duration>;
  return value<M, G>(Kind::kDuration, {name, fallback, bounds, effect, text});
}
template <auto M, class G = Text>
consteval Row text(std::string_view name, std::string_view fallback, Effect effect, std::string_view about) {
  return value<M, G>(Kind::kText, {name, fallback, {}, effect, about});
}
template <auto M>
consteval Row file(std::string_view name, std::string_view fallback, Effect effect, std::string_view about) {
  return value<M, FilePath>(Kind::kFile, {name, fallback, {}, effect, about});
}
template <auto M, class G>
consteval Row secret(std::string_view name, std::string_view fallback, Effect effect,
                     std::string_view about) {
  return value<M, G>(Kind::kSecret, {name, fallback, {}, effect, about});
}
template <auto M>
consteval Row word(std::string_view name, std::string_view fallback, Effect effect, std::string_view about) {
  using E = typename Unwrapped<ValueOf<M>>::Type;
  Row row = value<M, Words<E>>(Kind::kWord, {name, fallback, {}, effect, about});
  row.words = WordsOf<E>::kNames;
  return row;
}
template <auto M>
consteval Row address(std::string_view name, std::string_view fallback, Effect effect,
                      std::string_view about) {
  return value<M, AddressText>(Kind::kAddress, {name, fallback, {}, effect, about});
}
template <auto M>
consteval Row networks(std::string_view name, std::string_view fallback, Effect effect,
                       std::string_view about) {
  return value<M, NetworkText>(Kind::kNetwork, {name, fallback, {}, effect, about});
}
template <auto M>
consteval Row url(std::string_view name, std::string_view fallback, Effect effect, std::string_view about) {
  return value<M, UrlText>(Kind::kUrl, {name, fallback, {}, effect, about});
}

// A value whose grammar says itself how it is written: G::kForm and G::kPattern.
template <auto M, class G>
consteval Row form(std::string_view name, std::string_view fallback, Effect effect, std::string_view about) {
  Row row = value<M, G>(Kind::kForm, {name, fallback, {}, effect, about});
  row.form = G::kForm;
  row.pattern = G::kPattern;
  return row;
}

consteval Row planned(std::string_view name) {
  Row row;
  row.name = name;
  row.kind = Kind::kPlanned;
  return row;
}

template <const auto& S>
inline constexpr const Section* kOnly[] = {&S};

template <const auto& S>
inline constexpr bool kIsDecided = std::is_same_v<std::remove_cvref_t<decltype(S)>, Decided>;

// A section that fills the member M.
template <auto M, const auto& S>
consteval Row section(std::string_view name, std::string_view about) {
  Row row;
  row.name = name;
  row.kind = Kind::kSection;
  row.text = about;
  row.sections = kOnly<S>;
  row.owner_tag = &kTag<OwnerOf<M>>;
  row.read = [](Reader& reader, const Row&, const YamlNode& node, void* owner) {
    reader.section(node, S, &(static_cast<OwnerOf<M>*>(owner)->*M));
  };
  row.part = [](const void* owner) -> const void* { return &(static_cast<const OwnerOf<M>*>(owner)->*M); };
  row.said_within = kIsDecided<S>;
  return row;
}

// A section for some more members of the same owner.
template <class Owner, const auto& S>
consteval Row within(std::string_view name, std::string_view about) {
  Row row;
  row.name = name;
  row.kind = Kind::kSection;
  row.text = about;
  row.sections = kOnly<S>;
  row.owner_tag = &kTag<Owner>;
  row.read = [](Reader& reader, const Row&, const YamlNode& node, void* owner) {
    reader.section(node, S, owner);
  };
  row.part = [](const void* owner) { return owner; };
  return row;
}

// A section that is read as a Draft first and then put into its owner by
// void Place(Reader&, const YamlNode&, Draft&&, Owner&).
template <class Owner, class Draft, const auto& S, auto Place>
consteval Row draft(std::string_view name, std::string_view fallback, Effect effect, std::string_view about) {
  Row row;
  row.name = name;
  row.kind = Kind::kSection;
  row.fallback = fallback;
  row.reload = effect.reload;
  row.decides = effect.decides;
  row.text = about;
  row.sections = kOnly<S>;
  row.owner_tag = &kTag<Owner>;
  row.read = [](Reader& reader, const Row&, const YamlNode& node, void* owner) {
    Draft item{};
    reader.section(node, S, &item);
    Place(reader, node, std::move(item), *static_cast<Owner*>(owner));
  };
  return row;
}
// The same for a list of sections.
template <class Owner, class Draft, const auto& S, auto Place>
consteval Row drafts(std::string_view name, std::string_view fallback, Effect effect,
                     std::string_view about) {
  Row row = draft<Owner, Draft, S, Place>(name, fallback, effect, about);
  row.list = true;
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    std::size_t index = 0;
    Reader::Parts parts(reader);
    for (const YamlNode& each : reader.items(self, node)) {
      parts([&] {
        const Reader::Step step(reader, index++);
        Draft item{};
        reader.section(each, S, &item);
        Place(reader, each, std::move(item), *static_cast<Owner*>(owner));
      });
    }
    parts.done();
  };
  return row;
}

// A map from chosen names to sections that `type` tells apart.
template <class Owner, auto Place>
consteval Row named(std::string_view name, std::span<const Section* const> choices, std::string_view about) {
  Row row;
  row.name = name;
  row.kind = Kind::kNamed;
  row.text = about;
  row.sections = choices;
  row.owner_tag = &kTag<Owner>;
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    Reader::Parts parts(reader);
    for (const Entry& entry : reader.named(node)) {
      parts([&] {
        const Reader::Step step(reader, entry.name);
        Place(reader, entry, reader.choose(entry.value, self.sections), *static_cast<Owner*>(owner));
      });
    }
    parts.done();
  };
  return row;
}

// A map from chosen names to sections of one kind, each read as a Draft and put into its owner by
// void Place(Reader&, const Entry&, Draft&&, Owner&).
template <class Owner, class Draft, const auto& S, auto Place>
consteval Row named_drafts(std::string_view name, std::string_view fallback, Effect effect,
                           std::string_view about) {
  Row row;
  row.name = name;
  row.kind = Kind::kNamed;
  row.fallback = fallback;
  row.reload = effect.reload;
  row.decides = effect.decides;
  row.text = about;
  row.sections = kOnly<S>;
  row.owner_tag = &kTag<Owner>;
  row.read = [](Reader& reader, const Row&, const YamlNode& node, void* owner) {
    Reader::Parts parts(reader);
    for (const Entry& entry : reader.named(node)) {
      parts([&] {
        const Reader::Step step(reader, entry.name);
        Draft item{};
        reader.section(entry.value, S, &item);
        Place(reader, entry, std::move(item), *static_cast<Owner*>(owner));
      });
    }
    parts.done();
  };
  return row;
}

template <class Owner, void (*Check)(Reader&, const YamlNode&, Owner&)>
void checked(Reader& reader, const YamlNode& node, void* owner) {
  Check(reader, node, *static_cast<Owner*>(owner));
}

struct About {
  std::string_view name;
  std::string_view type;
  std::string_view text;
  std::string_view shorthand;
  const Section* common = nullptr;
  bool common_said = false;

  consteval About(std::string_view n, std::string_view t, std::string_view about, std::string_view bare)
      : name(n), type(t), text(about), shorthand(bare) {}
  template <class S>
  consteval About(std::string_view n, std::string_view t, std::string_view about, std::string_view bare,
                  const S* keys_of_all)
      : name(n),
        type(t),
        text(about),
        shorthand(bare),
        common(keys_of_all),
        common_said(std::is_same_v<S, Decided>) {}
};

template <class Owner>
consteval Section table(About about, std::span<const Row> entries,
                        void (*check)(Reader&, const YamlNode&, void*) = nullptr) {
  for (const Row& row : entries)
    if (row.kind != Kind::kPlanned && row.owner_tag != &kTag<Owner>) throw "a row of another owner";
  return Section{.name = about.name,
                 .type = about.type,
                 .text = about.text,
                 .rows = entries,
                 .shorthand = about.shorthand,
                 .check = check,
                 .fresh = []() -> std::shared_ptr<void> { return std::make_shared<Owner>(); },
                 .common = about.common};
}

// A table of rows that all say what they decide, and can: what decides an answer has to be told to all
// processes alike, so that a secret is known by a name of its own.
template <class Owner>
consteval Decided decided(About about, std::span<const Row> entries,
                          void (*check)(Reader&, const YamlNode&, void*) = nullptr) {
  for (const Row& row : entries) {
    if (row.kind == Kind::kPlanned || row.said_within) continue;
    if (row.decides == Decides::kUnsaid) throw "a row that does not say what it decides";
    if (row.decides != Decides::kNothing && row.print == nullptr) throw "a row that cannot be printed";
    if (decides(row.decides, Decides::kAnswer) && row.kind == Kind::kSecret)
      throw "a secret in the identity of what is cached";
  }
  if (about.common != nullptr && !about.common_said) throw "common keys that do not say what they decide";
  return Decided{table<Owner>(about, entries, check)};
}

}  // namespace config::rows
