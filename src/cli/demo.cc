#include "cli/demo.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "cli/files.h"
#include "identity/mint.h"

namespace cli {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kIssuer = "sekisho-demo";

}  // namespace

Demo make_demo(const std::string& folder, const std::string& listen) {
  const fs::path root = fs::absolute(folder);
  std::error_code why;
  fs::create_directories(root / "public", why);
  if (!why) fs::create_directories(root / "private", why);
  if (why) throw std::runtime_error("cannot make the folder " + root.string() + ": " + why.message());
  write_new(root / "public" / "hello.txt", "Hello from behind the barrier.\n", 0644);
  write_new(root / "private" / "report.json",
            "{\"quarter\": 3, \"travellers\": 1723, \"papers in order\": 1698}\n", 0644);
  write_new(root / "demo.key", identity::generate_secret().reveal(), 0600);
  const fs::path config = root / "sekisho.yaml";
  // Made anew each time: it is derived, and the address may differ.
  std::ofstream out(config, std::ios::trunc);
  out << "# Made by `sekisho serve --demo`.\n"
         "listen: "
      << listen
      << "\n"
         "admin: { listen: \"127.0.0.1:0\" }\n"
         "origins:\n"
         "  public:  { type: dir, path: ./public }\n"
         "  private: { type: dir, path: ./private }\n"
         "identities:\n"
         "  demo:\n"
         "    type: jwt\n"
         "    issuer: "
      << kIssuer
      << "\n"
         "    algorithms: [HS256]\n"
         "    keys: [ { file: demo.key } ]\n"
         "routes:\n"
         "  - { path: /public/,  origin: public,  cache: { ttl: 1m } }\n"
         "  - { path: /private/, origin: private, identity: demo, cache: { ttl: 1m } }\n";
  out.close();
  if (!out) throw std::runtime_error("cannot write " + config.string());
  return {.config_file = config.string(), .key_file = (root / "demo.key").string()};
}

std::vector<std::string> demo_commands(const Demo& demo, const std::string& address) {
  identity::MintRequest request;
  request.subject = "traveller";
  request.issuer = kIssuer;
  request.now = base::wall_now();
  request.ttl = std::chrono::hours(24);
  const std::string token =
      identity::mint(config::Algorithm::kHS256, base::Secret(read_all(demo.key_file)), request);
  const std::string at = "http://" + address;
  return {"curl -i " + at + "/public/hello.txt", "curl -i " + at + "/private/report.json",
          "curl -i -H 'Authorization: Bearer " + token + "' " + at + "/private/report.json"};
}

}  // namespace cli
