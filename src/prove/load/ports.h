// Ports of this machine on which nobody listens, for the processes that a campaign starts.
//
// Problem:  a gateway that a fault ends must get its port back when it starts again. A port of the ephemeral
//           range may have become the near end of one of the load's own connections by then, so the others
//           are tried first.
// Owner:    one load; the ports are held back from others until it ends.
// Thread:   one.
// Failures: std::runtime_error when there is no free port at all.
#pragma once

#include <cstdint>
#include <vector>

#include "prove/model/random.h"

namespace prove {

class FreePorts {
 public:
  FreePorts();
  ~FreePorts();
  FreePorts(const FreePorts&) = delete;
  FreePorts& operator=(const FreePorts&) = delete;

  std::uint16_t next();

 private:
  std::uint16_t bind(std::uint16_t wanted);  // 0: any; 0 back: it is taken

  std::uint16_t first_ephemeral_ = 32'768;
  Random random_;
  std::vector<int> held_;  // sockets
};

}  // namespace prove
