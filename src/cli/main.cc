// The command line. Exit codes: 0 done, 1 the work failed, 2 the command or the configuration is wrong.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/sabotage.h"
#include "cli/demo.h"
#include "cli/files.h"
#include "cli/prove.h"
#include "cli/server.h"
#include "cli/warnings.h"
#include "config/load.h"
#include "config/reference.h"
#include "config/schema.h"
#include "gateway/snapshot.h"
#include "identity/algorithm.h"
#include "identity/mint.h"
#include "prove/schema.h"
#include "version.h"

namespace {

constexpr int kWrong = 2;

int complain(const std::string& what) {
  std::fprintf(stderr, "sekisho: %s\n", what.c_str());
  return kWrong;
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

int run_gateway(const std::string& file) {
  cli::Server server([file] { return config::load_file(file, config::process_env()); });
  return server.run();
}

int serve_demo(const std::string& folder) {
  const char* wanted = std::getenv("SEKISHO_DEMO_LISTEN");
  const cli::Demo demo = cli::make_demo(folder, wanted ? wanted : "127.0.0.1:8080");
  const auto load = [&] { return config::load_file(demo.config_file, config::process_env()); };
  std::optional<cli::Server> server;
  try {
    server.emplace(load);
  } catch (const std::exception&) {
    if (wanted) throw;
    cli::make_demo(folder, "127.0.0.1:0");  // 8080 is somebody else's: any will do
    server.emplace(load);
  }
  print("Sekisho serves " + demo.config_file + ". In another terminal, try:\n\n");
  for (const std::string& command : cli::demo_commands(demo, server->addresses().front()))
    print(command + "\n");
  print("\n200, 401, 200. Metrics: http://" + server->admin_address() + "/metrics. Ctrl-C ends it.\n");
  return server->run();
}

// The same validation as start and reload; origins are built too, so that a missing folder is found.
int check(const std::string& file) {
  config::Config config = config::load_file(file, config::process_env());
  limit::Rates rates(config.limits);
  limit::Gates gates;
  upstream::Healths healths;
  const auto snapshot = std::make_shared<const gateway::Snapshot>(
      std::move(config), gateway::Registries{.rates = rates, .gates = gates, .healths = healths});
  net::Offload offload(1);
  net::Loop loop;
  net::Resolver resolver(loop, offload);
  const gateway::LocalSnapshot local(snapshot, nullptr, {loop, resolver});
  for (const std::string& warning : cli::warnings_of(snapshot->config()))
    std::fprintf(stderr, "sekisho: warning: %s\n", warning.c_str());
  print(file + ": good, " + std::to_string(snapshot->routes().size()) + " routes\n");
  return 0;
}

struct TokenOptions {
  std::string key_file, algorithm = "HS256";
  std::vector<std::string> claims;
  std::uint64_t ttl_seconds = 3600;
  identity::MintRequest request;
};

int token(TokenOptions options) {
  std::string key = cli::read_all(options.key_file);
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
  options.request.now = base::wall_now();
  options.request.ttl = base::Seconds(static_cast<std::int64_t>(options.ttl_seconds));
  for (const std::string& claim : options.claims)
    options.request.claims.push_back(identity::parse_claim(claim));
  const config::Algorithm algorithm = identity::algorithm_named(options.algorithm)->algorithm;
  print(identity::mint(algorithm, base::Secret(std::move(key)), options.request) + "\n");
  return 0;
}

struct KeygenOptions {
  std::string algorithm = "HS256", out, kid;
  bool jwk = false;
};

int keygen(const KeygenOptions& options) {
  const auto write = [](const std::string& path, std::string_view text, mode_t mode) {
    if (!cli::write_new(path, text, mode))
      throw std::runtime_error(path + " exists; a key is never written over");
  };
  const identity::AlgorithmRow& row = *identity::algorithm_named(options.algorithm);
  if (row.family == identity::Family::kHmac) {
    if (options.jwk) return complain("a secret has no public key that could be shown");
    write(options.out, identity::generate_secret(row.algorithm).reveal(), 0600);
    print("secret: " + options.out + "\n");
    return 0;
  }
  const identity::KeyPair pair = identity::generate_keypair(row.algorithm, options.kid);
  write(options.out, pair.private_pem.reveal(), 0600);
  write(options.out + ".pub", pair.public_pem, 0644);
  print(options.jwk ? pair.public_jwk + "\n"
                    : "private key: " + options.out + "\npublic key: " + options.out + ".pub\n");
  return 0;
}

// As a shell would take it back.
std::string shell_word(std::string_view word) {
  const bool plain =
      word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:,%+@") ==
      word.npos;
  if (plain && !word.empty()) return std::string(word);
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("A gateway for S3 objects and HTTP services that asks who is calling.", "sekisho");
  app.require_subcommand(1);
  app.set_version_flag("--version", "sekisho " SEKISHO_VERSION " (" SEKISHO_COMMIT ")");

  std::string file, demo;
  auto* serve_command = app.add_subcommand("serve", "run the gateway");
  auto* from_file = serve_command->add_option("-c,--config", file, "the configuration file");
  serve_command
      ->add_option("--demo", demo, "run on embedded defaults, with objects and a key made in this folder")
      ->excludes(from_file);

  auto* check_command =
      app.add_subcommand("check", "say whether a configuration is good, as start and reload would");
  check_command->add_option("-c,--config", file, "the configuration file")->required();

  bool docs = false;
  std::string of_what = "gateway";
  auto* schema_command = app.add_subcommand("schema", "print the JSON Schema of the configuration");
  schema_command->add_option("what", of_what, "gateway, or prove: campaign files")
      ->check(CLI::IsMember({"gateway", "prove"}))
      ->capture_default_str();
  schema_command->add_flag("--docs", docs,
                           "print the reference (docs/configuration.md, docs/campaigns.md) instead");

  TokenOptions options;
  std::vector<std::string> names;
  for (const identity::AlgorithmRow& row : identity::algorithms()) names.emplace_back(row.name);
  const CLI::IsMember algorithms(names);
  auto* token_command = app.add_subcommand("token", "mint a token");
  token_command
      ->add_option("--key", options.key_file, "HS…: the secret's file; otherwise the private key, PEM")
      ->required();
  token_command->add_option("--alg,--algorithm", options.algorithm, "as a token's header spells it")
      ->check(algorithms)
      ->capture_default_str();
  token_command->add_option("--sub", options.request.subject, "who it speaks for");
  token_command->add_option("--iss", options.request.issuer, "the issuer");
  token_command->add_option("--aud", options.request.audience, "an audience; may be repeated");
  token_command->add_option("--kid", options.request.kid, "the key's id");
  token_command->add_option("--ttl", options.ttl_seconds, "how long it is good: 300, 15m, 1h")
      ->transform(CLI::AsNumberWithUnit(
          std::map<std::string, std::uint64_t>{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}))
      ->capture_default_str();
  token_command->add_option("--claim", options.claims, "name=value; the value may be JSON; may be repeated");

  KeygenOptions key;
  auto* keygen_command = app.add_subcommand("keygen", "make a key for tokens");
  keygen_command->add_option("--alg,--algorithm", key.algorithm, "as a token's header spells it")
      ->check(algorithms)
      ->capture_default_str();
  keygen_command
      ->add_option("--out", key.out,
                   "the file to make; FILE.pub beside it holds the public key, if there is one")
      ->required();
  keygen_command->add_flag("--jwk", key.jwk, "print the public key as a JWK");
  keygen_command->add_option("--kid", key.kid, "the key's id in the JWK");

  std::string typed = "sekisho";
  for (int i = 1; i < argc; ++i) typed += " " + shell_word(argv[i]);
  cli::ProveCommand prove_command(app, typed);

  auto* version_command = app.add_subcommand("version", "print the version");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : kWrong;
  }
  try {
    if (sabotage::kBuilt) std::fprintf(stderr, "sekisho: %s\n", sabotage::arm().c_str());
    cli::prepare_process();
    if (*serve_command) {
      if (file.empty() && demo.empty()) return complain("serve needs -c FILE or --demo DIR");
      return demo.empty() ? run_gateway(file) : serve_demo(demo);
    }
    if (*check_command) return check(file);
    if (*schema_command && of_what == "prove")
      print(docs ? prove::campaign_reference() : prove::campaign_schema());
    else if (*schema_command)
      print(docs ? config::reference_markdown() : config::json_schema());
    if (prove_command.chosen()) return prove_command.run();
    if (*token_command) return token(std::move(options));
    if (*keygen_command) return keygen(key);
    if (*version_command) print("sekisho " SEKISHO_VERSION " (" SEKISHO_COMMIT ")\n");
    return 0;
  } catch (const std::exception& error) {
    return complain(error.what());
  }
}
