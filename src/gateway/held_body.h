// The body of a request as the stages of the walk see it: what was read ahead of it is held, and whoever
// comes later, an application or the origin, reads it again from its beginning.
//
// Owner:    the wait of the walk (Walk::wait), for as long as anybody may read.  Thread: the worker's.
// Lifetime: the client's body behind it lives as long.
// Failure:  that of the body (kBadRequest, kBodyTooLarge, kRequestTimeout, kClientGone).
// Units:    bytes; what is held is counted in the account.
//
// Where no stage reads ahead nothing is held, and 100 Continue is sent when somebody first reads. A body that
// is held as a whole can be sent again (rewind()).
#pragma once

#include <string_view>
#include <vector>

#include "base/account.h"
#include "net/upload.h"

namespace gateway {

class HeldBody final : public net::Upload {
 public:
  HeldBody(net::Upload& from, base::Account& account) : from_(from), account_(account) {}
  ~HeldBody() { account_.release(base::Account::Kind::kBodies, counted_); }
  HeldBody(const HeldBody&) = delete;
  HeldBody& operator=(const HeldBody&) = delete;

  // Until `most` bytes are held, or all there are, or no memory is left for more: then the rest is read when
  // it is wanted. May be called again for more. Bodies may take a quarter of the account: unlike a reply, one
  // that its client sends slowly cannot be fetched again, so none is taken back for others.
  net::Task<base::Result<>> hold(std::size_t most);
  std::string_view held() const { return {held_.data(), held_.size()}; }
  bool whole() const { return whole_; }    // what is held is all
  net::Upload& client() { return from_; }  // behind it, for who reads on when the walk is over

  net::Task<base::Result<std::size_t>> read(std::span<char> out) override;
  net::Task<base::Result<>> wait() override;
  bool rewind() override;

 private:
  bool make_room(std::size_t size);  // more than there is
  // Of what is behind it; whoever ends a wait for this body ends it there.
  net::Task<base::Result<std::size_t>> more(std::span<char> out);
  net::Task<base::Result<>> waited();

  net::Upload& from_;
  base::Account& account_;
  std::vector<char> held_;
  std::size_t counted_ = 0;  // what it takes, as the account knows it
  std::size_t at_ = 0;       // of it, given out
  bool whole_ = false;
};

}  // namespace gateway
