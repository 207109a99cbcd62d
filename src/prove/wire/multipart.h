// Bodies of forms with files: multipart/form-data, RFC 7578.
//
// Owner:    the plan of a run, of each step that has one.  Thread: immutable after construction, any.
// Lifetime: the Step outlives it.
// Failure:  constructor: std::runtime_error with one line (a file that cannot be read).
//
// Names are written as browsers write them (HTML, multipart/form-data encoding algorithm): quotes and line
// breaks are percent-encoded, and line breaks of values that are no file are CR LF. The boundary is no part
// of what any part holds, also where somebody sends it back as a value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "prove/model/model.h"

namespace prove {

class Multipart {
 public:
  explicit Multipart(const Step& step);

  bool any() const { return !parts_->empty(); }
  bool constant() const;  // no hole

  // Appends the body; its boundary.
  std::string append_to(std::string& out, const Values& values) const;

 private:
  std::uint64_t boundary_from(std::uint64_t number, const std::vector<std::string>& texts) const;

  const std::vector<Part>* parts_;
  std::vector<std::string> files_;          // the bytes, of parts that are files
  std::uint64_t free_ = ~std::uint64_t{0};  // the first boundary that is in none of them
};

std::string read_body_file(const std::string& path);  // std::runtime_error with one line

}  // namespace prove
