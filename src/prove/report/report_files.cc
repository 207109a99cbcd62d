#include "prove/report/report_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "prove/record/hdr_log.h"
#include "prove/record/result_json.h"
#include "prove/report/report_html.h"
#include "prove/report/report_junit.h"
#include "prove/report/report_k6.h"
#include "prove/report/report_markdown.h"
#include "prove/report/report_summary.h"

namespace prove {
namespace {

[[noreturn]] void fail(const std::string& path, int error) {
  throw std::runtime_error(fmt::format("{}: {}", path, std::strerror(error)));
}

// Writes and syncs; false leaves the reason in errno.
bool write_synced(const std::string& path, std::string_view content) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  const bool written = content.empty() && ::fsync(fd) == 0;
  const int error = errno;
  const bool closed = ::close(fd) == 0;
  if (!written) errno = error;
  return written && closed;
}

constexpr std::string_view kNames[] = {"report.html",    "report.md",    "junit.xml",    "summary.json",
                                       "benchmark.json", "latency.hgrm", "latency.hlog", "result.json"};

class Parts {  // files under their provisional names, removed unless they were published
 public:
  explicit Parts(std::string folder) : folder_(std::move(folder)) {}
  ~Parts() {
    for (const std::string& name : written_) std::remove(part(name).c_str());
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  void add(const std::string& name, std::string_view content) {
    written_.push_back(name);
    if (!write_synced(part(name), content)) fail(path(name), errno);
  }

  void publish() {
    for (const std::string& name : written_)
      if (std::rename(part(name).c_str(), path(name).c_str()) != 0) fail(path(name), errno);
    written_.clear();
    const int fd = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);  // that the names last too; not every file system can
    ::close(fd);
  }

 private:
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string part(const std::string& name) const { return folder_ + "/." + name + ".part"; }

  std::string folder_;
  std::vector<std::string> written_;
};

void make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw std::runtime_error(fmt::format("{}: {}", folder, error.message()));
}

}  // namespace

void remove_reports(const std::string& folder) {
  std::error_code ignored;  // what is not there need not go
  for (const std::string_view name : kNames)
    std::filesystem::remove(std::filesystem::path(folder) / name, ignored);
}

void write_files(const std::string& folder, const std::vector<std::pair<std::string, std::string>>& files) {
  make_folder(folder);
  Parts parts(folder);
  for (const auto& [name, content] : files) parts.add(name, content);
  parts.publish();
}

void write_reports(const Result& result, const std::string& folder) {
  make_folder(folder);
  Parts parts(folder);
  parts.add("report.html", html_report(result));
  parts.add("report.md", markdown_report(result));
  parts.add("junit.xml", junit_report(result));
  parts.add("summary.json", k6_summary(result));
  parts.add("benchmark.json", benchmark_summary(result));
  parts.add("latency.hgrm", hgrm(summarize(result).response));
  parts.add("result.json", to_json(result));
  parts.publish();
}

}  // namespace prove
