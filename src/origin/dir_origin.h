// A folder served as a bucket: what a path names is a regular file beneath the root, or nothing.
//
// Owner, thread, lifetime, failure: as Origin. Opening and reading happen on the worker: files are expected
// in the page cache or on a local disk, as with every static file server of this kind.
// Standard: RFC 9110 §8.8 (validators), §14.3 (Accept-Ranges). GET and HEAD.
//
// No path leaves the root: the kernel resolves it beneath the root's descriptor (openat2, RESOLVE_BENEATH),
// so that neither "..", nor an absolute link, nor a link swapped in between, leads out; links that stay
// beneath the root are followed where `follow_links` says so, and refused otherwise: one that leads from an
// open route's folder into a guarded one's would be a way around the guard. There is no index file and no
// listing: a folder's own name is not found. What cannot be opened is kNotFound whatever the reason, so that
// replies do not tell which files exist. Nor is a file of the gateway's own found where the folder holds one
// (configuration, keys, logs, and what a log's rotation has left beside it).
//
// The ETag is size, modification time in nanoseconds and inode. It is strong as long as files are replaced by
// rename; one rewritten in place to the same size within the file system's clock tick keeps its tag.
#pragma once

#include "origin/origin.h"

namespace origin {

class DirOrigin final : public Origin {
 public:
  static constexpr Abilities kAbilities{};

  // Throws std::runtime_error when the root is no folder or the kernel has no openat2.
  DirOrigin(const config::Origin& configuration, const config::DirOrigin& options);
  ~DirOrigin() override;

  net::Task<base::Result<Reply>> fetch(const Ask& ask, net::Cancel* cancel) override;
  net::Task<base::Result<>> probe(net::Cancel* cancel) override;
  std::string_view allowed_methods() const override { return "GET, HEAD"; }
  bool effective_query(std::string_view, bool, std::string&) const override { return false; }

 private:
  base::Result<Reply> open(const Ask& ask) const;

  const std::string path_;
  const std::vector<std::string> own_files_;
  const std::uint64_t resolve_;  // of openat2
  int root_ = -1;
};

}  // namespace origin
