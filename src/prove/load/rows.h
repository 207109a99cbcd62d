// Rows that only campaign files have, beside those of config/rows.h: templates, free maps, values that a
// function puts into their place. For tables of keys only.
#pragma once

#include "config/rows.h"
#include "prove/load/reading.h"

namespace prove::rows {

using config::Entry;
using config::Kind;
using config::Reader;
using config::Row;
using config::YamlNode;

using config::rows::kLive;

template <auto M, class G>
consteval Row written(std::string_view name, std::string_view fallback, std::string_view about) {
  return config::rows::form<M, G>(name, fallback, kLive, about);
}

template <class Owner>
consteval Row own(Kind kind, std::string_view name, std::string_view fallback, std::string_view about) {
  Row row;
  row.name = name;
  row.kind = kind;
  row.fallback = fallback;
  row.text = about;
  row.owner_tag = &config::rows::kTag<Owner>;
  return row;
}

// A value that is put into its owner by void Put(Reader&, const YamlNode&, G::Value&&, Owner&).
template <class Owner, class G, auto Put>
consteval Row put(std::string_view name, std::string_view fallback, std::string_view about) {
  Row row = own<Owner>(Kind::kForm, name, fallback, about);
  row.form = G::kForm;
  row.pattern = G::kPattern;
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    Put(reader, node, config::rows::read_value<G>(reader, self, node), *static_cast<Owner*>(owner));
  };
  return row;
}

// The name of something that the campaign has elsewhere, or a list of them.
template <auto M, Reading::Named What>
consteval Row reference(std::string_view name, std::string_view fallback, std::string_view about) {
  using Owner = config::rows::OwnerOf<M>;
  Row row = own<Owner>(Kind::kText, name, fallback, about);
  row.list = config::rows::Unwrapped<config::rows::ValueOf<M>>::kList;
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    const auto one = [&](const YamlNode& item) {
      std::string text = config::rows::read_value<config::Name>(reader, self, item);
      Reading::of(reader).refer(What, text, item.line);
      return text;
    };
    auto& member = static_cast<Owner*>(owner)->*M;
    if constexpr (config::rows::Unwrapped<config::rows::ValueOf<M>>::kList) {
      std::size_t index = 0;
      for (const YamlNode& item : reader.items(self, node)) {
        const Reader::Step step(reader, index++);
        member.push_back(one(item));
      }
    } else {
      member = one(node);
    }
  };
  return row;
}

// A template of a step.
template <auto M, class G, Reading::Place At = Reading::Place::kText>
consteval Row templ(std::string_view name, std::string_view fallback, std::string_view about) {
  using Owner = config::rows::OwnerOf<M>;
  Row row = own<Owner>(Kind::kForm, name, fallback, about);
  row.form = "text, a template";
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    const std::string text = config::rows::read_value<G>(reader, self, node);
    static_cast<Owner*>(owner)->*M = Reading::of(reader).compile(text, node.line, Reading::Where::kStep, At);
  };
  return row;
}

// A map of free names, each a K, to scalars, each a V, put into their owner one by one by
// void Put(Reader&, const Entry&, std::string&& name, std::string&& value, Owner&).
template <class Owner, class K, class V, auto Put>
consteval Row pairs(std::string_view name, std::string_view about) {
  Row row = own<Owner>(Kind::kPairs, name, "", about);
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    reader.check_map(node);
    for (const Entry& entry : node.entries) {
      const Reader::Step step(reader, entry.name);
      auto key = K::parse(entry.name);
      if (!key) reader.fail(entry.line, key.error());
      Put(reader, entry, *std::move(key), config::rows::read_value<V>(reader, self, entry.value),
          *static_cast<Owner*>(owner));
    }
  };
  return row;
}

}  // namespace prove::rows
