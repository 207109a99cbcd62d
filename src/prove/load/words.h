// The words of enumerations that keys of more than one table have. For tables of keys only.
#pragma once

#include <string_view>

#include "config/rows.h"
#include "prove/model/model.h"

namespace config::rows {

template <>
struct WordsOf<prove::Choice> {  // in the order of the enumeration
  static constexpr std::string_view kNames[] = {"uniform", "zipf", "sequence"};
};

}  // namespace config::rows
