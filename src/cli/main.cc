// The command line. Exit codes: 0 done, 1 the work failed, 2 the command or the configuration is wrong.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/sabotage.h"
#include "cli/check.h"
#include "cli/demo.h"
#include "cli/files.h"
#include "cli/prove.h"
#include "cli/server.h"
#include "config/error.h"
#include "config/load.h"
#include "config/reference.h"
#include "config/schema.h"
#include "identity/algorithm.h"
#include "identity/mint.h"
#include "prove/load/schema.h"
#include "telemetry/line_sink.h"
#include "telemetry/oplog.h"
#include "version.h"

namespace {

constexpr int kWrong = 2;

// For a second at most: a pipe that nobody reads must not keep a process that has nothing left to do.
int complain(const std::string& what) {
  telemetry::GiveUp give_up;
  give_up.at(base::mono_now() + base::Seconds(1));
  std::size_t done = 0;
  telemetry::make_stream_sink("stderr")->put("sekisho: " + what + "\n", done, give_up);
  return kWrong;
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

int run_gateway(const std::string& file) {
  bool first = true;
  const auto load = [&] {
    return std::exchange(first, false) ? cli::load_for_start(file)
                                       : config::load_file(file, config::process_env());
  };
  cli::Server server(load);
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

struct TokenOptions {
  std::string key_file, algorithm = "HS256";
  std::vector<std::string> claims;
  std::uint64_t ttl_seconds = 3600;
  identity::MintRequest request;
};

int token(TokenOptions options) {
  std::string key = cli::read_all(options.key_file);
  // A PEM text used as a secret makes tokens that anybody can forge who has the public key.
  const identity::AlgorithmRow& row = *identity::algorithm_named(options.algorithm);
  if (row.family == identity::Family::kHmac && key.contains("-----BEGIN "))
    return complain(options.key_file + " is a PEM key, and " + options.algorithm +
                    " takes a secret; say which algorithm the key is for: --alg ES256, EdDSA, RS256, …");
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
  options.request.now = base::wall_now();
  options.request.ttl = base::Seconds(static_cast<std::int64_t>(options.ttl_seconds));
  for (const std::string& claim : options.claims)
    options.request.claims.push_back(identity::parse_claim(claim));
  print(identity::mint(row.algorithm, base::Secret(std::move(key)), options.request) + "\n");
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

// What others call our commands.
constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"run", "serve"},  {"start", "serve"},   {"up", "serve"},     {"validate", "check"}, {"test", "check"},
    {"lint", "check"}, {"verify", "check"},  {"config", "check"}, {"sign", "token"},     {"mint", "token"},
    {"key", "keygen"}, {"genkey", "keygen"}, {"docs", "schema"}};

// "" when `word` is a command, or none at all.
std::string no_such_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string_view> known;
  for (const CLI::App* command : app.get_subcommands(nullptr)) known.push_back(command->get_name());
  if (std::ranges::find(known, word) != known.end()) return "";
  if (word == "-c" || word == "--config" || word.starts_with("--config="))
    return "a command comes first: sekisho serve -c FILE";
  if (word.empty() || word.starts_with('-')) return "";
  std::string hint = config::did_you_mean(word, known);
  for (const auto& [theirs, ours] : kOtherNames)
    if (theirs == word) hint = ", did you mean '" + std::string(ours) + "'?";
  std::string all;
  for (const std::string_view name : known) all.append(all.empty() ? "" : ", ").append(name);
  return "there is no command '" + word + "'" + (hint.empty() ? ";" : hint) + " the commands are " + all;
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

int run(int argc, char** argv) {
  CLI::App app("A gateway for S3 objects and HTTP services that asks who is calling.", "sekisho");
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done; 1 the work failed, or requests were cut at the end; 2 the command or the "
      "configuration "
      "is wrong.\nExample: sekisho check -c sekisho.yaml && sekisho serve -c sekisho.yaml");
  app.set_version_flag("--version", "sekisho " SEKISHO_VERSION " (" SEKISHO_COMMIT ")");

  std::string file, demo;
  auto* serve_command = app.add_subcommand("serve", "run the gateway");
  serve_command->footer(
      "Signals: SIGHUP loads the configuration again, all of it or nothing, and opens the logs again; "
      "SIGTERM and "
      "SIGINT drain and end; a second one ends now.\nExit codes: 0 all requests were finished; 1 some were "
      "cut; 2 "
      "it did not start.\nExample: sekisho serve -c sekisho.yaml");
  auto* from_file = serve_command->add_option("-c,--config,file", file, "the configuration file");
  serve_command
      ->add_option("--demo", demo, "run on embedded defaults, with objects and a key made in this folder")
      ->excludes(from_file);
  bool allow_dumps = false;
  serve_command->add_flag("--allow-core-dumps", allow_dumps,
                          "let debuggers of the same user in and cores be written; both show secrets");

  auto* check_command =
      app.add_subcommand("check", "say whether a configuration is good, as start and reload would");
  check_command->footer(
      "Finds what serve would refuse, all of it, but for ports in use. Exit codes: 0 good; 2 not, with a "
      "line for "
      "each error.\nExample: sekisho check -c sekisho.yaml");
  check_command->add_option("-c,--config,file", file, "the configuration file")->required();

  bool docs = false;
  std::string of_what = "gateway";
  auto* schema_command = app.add_subcommand("schema", "print the JSON Schema of the configuration");
  schema_command->add_option("what", of_what, "gateway, or prove: campaign files")
      ->check(CLI::IsMember({"gateway", "prove"}))
      ->capture_default_str();
  schema_command->footer("Example: sekisho schema > sekisho.schema.json");
  schema_command->add_flag("--docs", docs,
                           "print the reference (docs/configuration.md, docs/campaigns.md) instead");

  TokenOptions options;
  std::vector<std::string> names;
  for (const identity::AlgorithmRow& row : identity::algorithms()) names.emplace_back(row.name);
  const CLI::IsMember algorithms(names);
  auto* token_command = app.add_subcommand("token", "mint a token");
  token_command->footer(
      "Prints the token. Exit codes: 0 done; 2 a wrong option or key.\nExamples: sekisho token --key secret "
      "--sub "
      "ada --ttl 15m\n          sekisho token --key es256.pem --alg ES256 --iss https://id.example.com "
      "--claim "
      "role=admin");
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
  keygen_command->footer(
      "Never writes over a file. Exit codes: 0 done; 2 a wrong option, or the file exists.\nExample: sekisho "
      "keygen "
      "--alg ES256 --out es256.pem");
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

  if (const std::string wrong = no_such_command(app, argc > 1 ? argv[1] : ""); !wrong.empty())
    return complain(wrong);
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
      if (!allow_dumps) cli::hide_memory();
      return demo.empty() ? run_gateway(file) : serve_demo(demo);
    }
    if (*check_command) return cli::check(file);
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

}  // namespace

int main(int argc, char** argv) {
  const int code = run(argc, argv);
  telemetry::log::flush(base::Seconds(1));
  return code;
}
