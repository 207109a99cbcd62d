// Rows for templates: which one comes next, and into which slots its values go.
//
// Problem:  a key space of 10^9 must cost no memory and a choice among it no search. Zipf's law is sampled by
//           rejection-inversion: constant memory, and fewer than 1.2 tries a sample whatever the exponent.
// Owner:    Dataset: the plan of a run. Cursor and Values: one generator and one user of the load.
// Thread:   Dataset is immutable, any.
// Lifetime: the DataSpec outlives it.
#pragma once

#include <cstdint>
#include <vector>

#include "prove/model/model.h"
#include "prove/model/random.h"

namespace prove {

// W. Hörmann, G. Derflinger: Rejection-inversion to generate variates from monotone discrete distributions
// (1996).
class Zipf {
 public:
  Zipf(std::uint64_t n, double exponent);          // ranks 1 … n, n > 0, exponent > 0
  std::uint64_t operator()(Random& random) const;  // a rank, the first the most frequent

 private:
  double h(double x) const;           // x^-e
  double integral(double x) const;    // of h from 1 to x
  double inverse(double area) const;  // of integral()

  double n_;
  double exponent_;
  double first_, last_;  // the areas that are drawn from
  double sure_;          // closer to its rank than this, a point is taken without a look at its area
};

// Where a sequence stands. Generators take turns: of three, the second takes rows 1, 4, 7, …
struct Cursor {
  std::uint64_t next = 0;
  std::uint64_t stride = 1;
};

class Dataset {
 public:
  Dataset(const DataSpec& spec, const Slots& slots);

  bool used() const { return !slots_.empty(); }  // that a template names it

  // Writes one row into the slots of those columns that templates name. Sequences begin again at their end.
  void pick(Random& random, Cursor& cursor, Values& values) const;

 private:
  struct Column {
    std::size_t column, slot;
  };

  const DataSpec& spec_;
  std::uint64_t size_;
  Zipf zipf_;
  std::vector<Column> slots_;
};

}  // namespace prove
