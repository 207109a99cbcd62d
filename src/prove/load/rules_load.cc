// Rules on what is sent.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "config/material.h"
#include "prove/load/keys.h"
#include "prove/load/reading.h"
#include "prove/load/rules.h"
#include "prove/load/tables.h"
#include "prove/wire/mask.h"
#include "prove/wire/pattern.h"
#include "prove/wire/signing.h"
#include "prove/wire/token.h"

namespace prove::rules {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxData = 64 << 20;
constexpr std::size_t kMaxBody = 64 << 20;
constexpr std::array<std::string_view, 7> kRequests = {"get",   "head",   "post", "put",
                                                       "patch", "delete", "path"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return out;
}

// What stands in quotes is a text; of the rest, what reads as JSON is meant as JSON.
json::value to_json(Reader& reader, const YamlNode& node) {
  if (node.kind == YamlNode::Kind::kList) {
    json::array out;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const Reader::Step step(reader, i);
      out.push_back(to_json(reader, node.items[i]));
    }
    return out;
  }
  if (node.kind == YamlNode::Kind::kMap) {
    reader.check_map(node);
    json::object out;
    for (const Entry& entry : node.entries) {
      const Reader::Step step(reader, entry.name);
      out[entry.name] = to_json(reader, entry.value);
    }
    return out;
  }
  const std::string text = reader.text(node);
  if (node.quoted) return json::value(text);
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  return error ? json::value(text) : value;
}

Capture captured(Reader& reader, const YamlNode& node, CaptureDraft&& draft) {
  Capture capture{.kind = Capture::Kind::kJson, .from = std::move(draft.json), .as = std::move(draft.as)};
  const bool both = node.find("header") != nullptr && node.find("regex") != nullptr;
  const std::string_view way =
      both ? reader.exactly_one(node, std::array<std::string_view, 2>{"json", "header"})
           : reader.exactly_one(node, std::array<std::string_view, 3>{"json", "header", "regex"});
  if (way == "json" && !is_json_pointer(capture.from))
    reader.fail_at(node, "json", "is not a JSON pointer such as /items/0/id");
  if (way == "header") {
    capture.kind = Capture::Kind::kHeader;
    capture.from = std::move(draft.header);
  }
  if (way == "regex" || both) {
    std::string& pattern = both ? capture.pattern : capture.from;
    if (!both) capture.kind = Capture::Kind::kRegex;
    pattern = std::move(draft.regex);
    const auto compiled = Pattern::compile(pattern);
    if (!compiled) reader.fail_at(node, "regex", "is not a regular expression");
    if (const std::size_t groups = compiled->groups(); groups != 1)
      reader.fail_at(node, "regex",
                     fmt::format("must have one group, which is what is captured, not {}", groups));
  }
  return capture;
}

Condition condition(Reader& reader, int line, std::string&& text) {
  const auto sides = Condition::split(text);
  if (!sides) reader.fail(line, sides.error());
  Condition out;
  out.is = sides->is;
  out.left = Reading::of(reader).compile(sides->left, line, Reading::Where::kStep);
  out.right = Reading::of(reader).compile(sides->right, line, Reading::Where::kStep);
  out.text = std::move(text);
  return out;
}

// Two of the same name are told apart, unless the file has called them so.
void name_step(Reader& reader, const YamlNode& node, Step& step, const Scenario& scenario) {
  const bool named = !step.name.empty();
  if (!named) step.name = Mask({}).text(step.method + " " + step.path.text());
  const std::string wanted = step.name;
  for (int again = 2;; ++again) {
    const auto other = std::ranges::find(scenario.steps, step.name, &Step::name);
    if (other == scenario.steps.end()) return;
    if (named)
      reader.fail_at(node, "name",
                     fmt::format("'{}' is also the name of the step in line {}", step.name, other->line));
    step.name = fmt::format("{} ({})", wanted, again);
  }
}

}  // namespace

std::string read_file(Reader& reader, const std::string& written, int line, std::size_t most) {
  const std::string path = reader.resolve(written);
  const auto unreadable = [&](const std::string& why) {
    reader.fail(line, fmt::format("the file '{}' cannot be read: {}", path, why));
  };
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) unreadable("it is a folder");
  std::ifstream in(path, std::ios::binary);
  if (!in) unreadable(std::generic_category().message(errno));
  std::string bytes;
  std::array<char, 64 << 10> piece;
  while (in.read(piece.data(), piece.size()), in.gcount() > 0) {
    bytes.append(piece.data(), static_cast<std::size_t>(in.gcount()));
    if (bytes.size() > most)
      reader.fail(line, fmt::format("the file '{}' is larger than {}MiB", path, most >> 20));
  }
  if (in.bad()) unreadable(std::generic_category().message(errno));
  return bytes;
}

// ---- tokens

namespace {

base::Secret key_of(Reader& reader, const YamlNode& node, TokenKeyDraft&& draft) {
  std::string_view way = "file";
  if (node.kind == YamlNode::Kind::kMap)
    way = reader.exactly_one(node, std::array<std::string_view, 3>{"file", "env", "value"});
  if (way == "file") {
    config::Parsed<base::Secret> bytes = config::read_secret_file(reader.resolve(draft.file));
    if (!bytes) reader.fail(node.line, bytes.error());
    return *std::move(bytes);
  }
  if (way == "value") return std::move(draft.value);
  const std::optional<std::string> value = reader.env()(draft.env);
  if (!value || value->empty())
    reader.fail_at(node, "env", fmt::format("the variable {} is not set, or empty", draft.env));
  return base::Secret(*value);
}

}  // namespace

void place_token_key(Reader& reader, const YamlNode& node, TokenKeyDraft&& draft, TokenSpec& token) {
  token.key = key_of(reader, node, std::move(draft));
}

void place_claims(Reader& reader, const YamlNode& node, TokenSpec& token) {
  reader.check_map(node);
  for (const Entry& entry : node.entries) {
    const Reader::Step step(reader, entry.name);
    const bool plain =
        (entry.value.kind == YamlNode::Kind::kScalar || entry.value.kind == YamlNode::Kind::kNull) &&
        !entry.value.quoted;
    std::string value = plain ? reader.text(entry.value) : json::serialize(to_json(reader, entry.value));
    Reading::of(reader).check_text(value, entry.value.line, Reading::Where::kToken);
    token.claims.emplace_back(entry.name, std::move(value));
  }
}

void check_token(Reader& reader, const YamlNode& node, TokenSpec& token) {
  const bool unsigned_token = token.algorithm == TokenAlgorithm::kNone;
  if (!unsigned_token && node.find("key") == nullptr) {
    const Reader::Step step(reader, "key");
    reader.fail(node.line, "is missing");
  }
  if (unsigned_token && node.find("key") != nullptr)
    reader.fail_at(node, "key", "stands beside 'algorithm: none', which signs nothing");
  if (const std::string wrong = check_key(token); !wrong.empty()) reader.fail_at(node, "key", wrong);
  if (unsigned_token && token.tamper == Tamper::kSignature)
    reader.fail_at(node, "tamper", "has no signature to change: the algorithm is none");
}

void place_token(Reader& reader, const Entry& entry, TokenSpec&& token, Campaign& campaign) {
  if (entry.name.contains('.')) reader.fail(entry.line, "holds a '.', which only columns of data sets have");
  Reading::of(reader).name_value("token", entry.name, entry.line);
  token.name = entry.name;
  token.line = entry.line;
  campaign.tokens.push_back(std::move(token));
}

// ---- proofs of possession

void place_proof_key(Reader& reader, const YamlNode& node, TokenKeyDraft&& draft, ProofSpec& proof) {
  proof.key = key_of(reader, node, std::move(draft));
}

void check_proof(Reader& reader, const YamlNode& node, ProofSpec& proof) {
  const bool given = node.find("key") != nullptr;
  if (given) {
    const auto key = read_key(algorithm_of(proof.algorithm), proof.key);
    if (!key) reader.fail_at(node, "key", key.error());
    if (proof.keys > 1) reader.fail_at(node, "keys", "stands beside 'key', which is one");
  }
  const bool rsa = proof.algorithm == ProofAlgorithm::kRS256 || proof.algorithm == ProofAlgorithm::kPS256;
  if (rsa && proof.keys > 16) reader.fail_at(node, "keys", "takes too long to make with RSA: 16 at the most");
}

void place_proof(Reader& reader, const Entry& entry, ProofSpec&& proof, Campaign& campaign) {
  if (entry.name.contains('.')) reader.fail(entry.line, "holds a '.', which only columns of data sets have");
  proof.name = entry.name;
  proof.line = entry.line;
  campaign.proofs.push_back(std::move(proof));
}

void place_dpop(Reader&, const YamlNode&, StepProof&& proof, Step& step) {
  step.dpop = std::move(proof);
}

namespace {

void check_dpop(Reader& reader, const YamlNode& node, const Step& step) {
  if (!step.dpop) return;
  const auto has = [&](std::string_view field) {
    return std::ranges::any_of(step.headers, [&](const auto& h) { return lower(h.first) == field; });
  };
  if (step.type == StepType::kS3) reader.fail_at(node, "dpop", "cannot stand beside 'type: s3'");
  if (has("dpop")) reader.fail_at(node, "dpop", "stands beside a header field DPoP, which is the proof");
  if (step.dpop->forge == Forge::kAth && !has("authorization"))
    reader.fail_at(node, "dpop", "forges 'ath', which only steps with a field Authorization have");
}

// A replay that fails for another reason than its being one shows nothing.
void check_replay(Reader& reader, const YamlNode& node, const Step& step, const Scenario& scenario) {
  if (!step.dpop || step.dpop->forge != Forge::kReplay) return;
  const Step* before = nullptr;
  for (const Step& other : scenario.steps)
    if (other.dpop && other.dpop->forge == Forge::kNothing) before = &other;
  if (before == nullptr || before->dpop->by != step.dpop->by || before->method != step.method ||
      before->target != step.target || before->path.text() != step.path.text())
    reader.fail_at(node, "dpop",
                   "forges 'replay': the last proof before it must be of the same request, and a right one");
}

}  // namespace

// ---- data

void place_data(Reader& reader, const Entry& entry, DataDraft&& draft, Campaign& campaign) {
  const YamlNode& node = entry.value;
  if (entry.name.contains('.')) reader.fail(entry.line, "holds a '.', which only columns of data sets have");
  Reading::of(reader).name_value("data set", entry.name, entry.line);
  DataSpec set;
  set.name = entry.name;
  set.line = entry.line;
  set.choose = draft.choose;
  set.exponent = draft.exponent.value_or(1.0);
  std::string_view way = "range";
  if (node.kind == YamlNode::Kind::kMap)
    way = reader.exactly_one(node, std::array<std::string_view, 3>{"range", "values", "file"});
  if (way == "range") {
    set.range = true;
    set.columns = {""};
    set.from = draft.range->first;
    set.to = draft.range->second;
  } else if (way == "values") {
    set.columns = {""};
    for (std::string& value : draft.values) set.rows.push_back({std::move(value)});
  } else {
    const Reader::Step step(reader, "file");
    const int line = node.find("file")->value.line;
    const bool is_json = draft.file.ends_with(".json");
    if (!is_json && !draft.file.ends_with(".csv")) reader.fail(line, "must end with .csv or .json");
    const std::string bytes = read_file(reader, draft.file, line, kMaxData);
    config::Parsed<Table> table = is_json ? parse_json_table(bytes) : parse_csv(bytes);
    if (!table) reader.fail(line, fmt::format("the file '{}' {}", reader.resolve(draft.file), table.error()));
    set.columns = std::move(table->columns);
    set.rows = std::move(table->rows);
  }
  if (draft.exponent && draft.choose != Choice::kZipf)
    reader.fail_at(node, "exponent", "needs 'choose: zipf'");
  if (set.exponent <= 0 || set.exponent > 10)
    reader.fail_at(node, "exponent", "must be above 0 and at most 10");
  campaign.data.push_back(std::move(set));
}

// ---- scenarios

void place_scenario(Reader& reader, const Entry& entry, Campaign& campaign) {
  Reading::of(reader).begin_scenario();
  Scenario scenario;
  scenario.name = entry.name;
  scenario.line = entry.line;
  reader.section(entry.value, kScenarioSection, &scenario);
  if (scenario.weight <= 0) reader.fail_at(entry.value, "weight", "must be above 0");
  campaign.scenarios.push_back(std::move(scenario));
}

// Steps lie end to end, whatever groups they come in; those with an `if` or a `repeat` are blocks.
void place_step(Reader& reader, const YamlNode& node, Step&& step, Scenario& scenario) {
  const std::size_t block = scenario.blocks.size();
  const bool has_block = step.only_if || step.repeat.times > 1 || step.repeat.until;
  if (has_block)
    scenario.blocks.push_back(
        {.from = scenario.steps.size(), .only_if = step.only_if, .repeat = step.repeat});
  if (!step.steps.empty()) {
    const Reader::Step at(reader, "steps");
    for (std::size_t i = 0; i < step.steps.size(); ++i) {
      const Reader::Step item(reader, i);
      const YamlNode& list = node.find("steps")->value;
      place_step(reader, list.kind == YamlNode::Kind::kList ? list.items[i] : list, std::move(step.steps[i]),
                 scenario);
    }
  } else {
    step.line = node.line;
    name_step(reader, node, step, scenario);
    check_replay(reader, node, step, scenario);
    Reading::of(reader).end_step();
    scenario.steps.push_back(std::move(step));
  }
  if (has_block) scenario.blocks[block].to = scenario.steps.size();
}

void place_group_step(Reader& reader, const YamlNode&, Step&& step, Step& group) {
  Reading::of(reader).end_step();
  group.steps.push_back(std::move(step));
}

void put_if(Reader& reader, const YamlNode& node, std::string&& text, Step& step) {
  step.only_if = condition(reader, node.line, std::move(text));
}

// What is asked after the request may be what it captures, which is known when all its keys are read.
void place_repeat(Reader& reader, const YamlNode& node, RepeatDraft&& draft, Step& step) {
  step.repeat.times = draft.times;
  if (node.kind == YamlNode::Kind::kMap && node.find("until") != nullptr) {
    const Reader::Step at(reader, "until");
    if (draft.until.empty()) reader.fail(node.find("until")->value.line, "is empty");
    step.repeat.until.emplace().text = std::move(draft.until);
  }
}

void check_group(Reader& reader, const YamlNode& node, const Step& step) {
  for (const Entry& entry : node.entries)
    if (entry.name != "steps" && entry.name != "if" && entry.name != "repeat")
      reader.fail_at(node, entry.name,
                     "stands beside 'steps': a group has 'if' and 'repeat' and nothing else");
  const Entry* only_if = node.find("if");
  if (only_if == nullptr && node.find("repeat") == nullptr)
    reader.fail_at(node, "steps", "needs 'if' or 'repeat': what are they a group for?");
  if (only_if != nullptr && only_if->line > node.find("steps")->line)
    reader.fail_at(node, "if", "is asked before the steps and has to stand in front of them");
  if (step.repeat.until) {
    const Reader::Step at(reader, "repeat");
    reader.fail_at(node.find("repeat")->value, "until", "is for one step; a group is repeated so many times");
  }
  if (step.steps.empty()) reader.fail_at(node, "steps", "is empty");
}

void check_step(Reader& reader, const YamlNode& node, Step& step) {
  if (node.find("steps") != nullptr) return check_group(reader, node, step);
  if (step.repeat.until) {
    const Reader::Step repeat(reader, "repeat"), until(reader, "until");
    Reading::of(reader).reply_is_there(true);
    step.repeat.until = condition(reader, node.find("repeat")->value.find("until")->value.line,
                                  std::move(step.repeat.until->text));
    Reading::of(reader).reply_is_there(false);
  }
  if (reader.exactly_one(node, kRequests) != "path" && node.find("method") != nullptr)
    reader.fail_at(node, "method", "needs 'path'");
  std::string_view body;
  for (const std::string_view key : {"body", "body_file", "body_size", "multipart"}) {
    if (node.find(key) == nullptr) continue;
    if (!body.empty()) reader.fail_at(node, key, fmt::format("stands beside '{}'; give one of them", body));
    body = key;
  }
  if (step.body_file) {
    const Reader::Step at(reader, "body_file");
    const int line = node.find("body_file")->value.line;
    read_file(reader, *step.body_file, line, kMaxBody);
    step.body_file = reader.resolve(*step.body_file);
  }
  for (const auto& [name, value] : step.headers) {
    const std::string known = lower(name);
    const Reader::Step headers(reader, "headers");
    const YamlNode& map = node.find("headers")->value;
    if (known == "content-type" && !step.multipart.empty())
      reader.fail_at(map, name, "is the form's own, with 'multipart'");
    if (known == "content-length" || known == "transfer-encoding" || known == "connection")
      reader.fail_at(map, name, "is the harness's own to send");
    if (step.decompress && known == "accept-encoding")
      reader.fail_at(map, name, "is the harness's own to send, with 'decompress: true'");
    if (step.type == StepType::kS3 && (known == "authorization" || known == "host" || known == "x-amz-date" ||
                                       known == "x-amz-content-sha256" || known == "x-amz-security-token"))
      reader.fail_at(map, name, "is the signature's own, with 'type: s3'");
  }
  if (step.type == StepType::kS3 && !step.multipart.empty())
    reader.fail_at(node, "multipart", "is for steps of type http: an object store takes bytes");
  if (step.type == StepType::kS3 && step.follow > 0)
    reader.fail_at(node, "follow", "needs 'type: http': a signature is for one address");
  if (step.dpop && step.follow > 0)
    reader.fail_at(node, "follow", "stands beside 'dpop': a proof is for one address");
  if (step.type == StepType::kS3) Reading::of(reader).sign_with(step.target, node.line);
  check_dpop(reader, node, step);
}

void place_part(Reader& reader, const YamlNode& node, PartDraft&& draft, Step& step) {
  const auto text_at = [&](const char* key, const std::string& text) {
    const Reader::Step at(reader, key);
    const Entry* entry = node.find(key);
    return Reading::of(reader).compile(text, entry ? entry->value.line : node.line, Reading::Where::kStep);
  };
  Part part;
  part.name = text_at("name", draft.name);
  if (reader.exactly_one(node, std::array<std::string_view, 2>{"value", "file"}) == "value") {
    part.value = text_at("value", draft.value.value_or(""));
  } else {
    const Reader::Step at(reader, "file");
    read_file(reader, draft.file, node.find("file")->value.line, kMaxBody);
    part.file = reader.resolve(draft.file);
    part.filename = Template::literal(std::filesystem::path(draft.file).filename().string());
    if (draft.type.empty()) draft.type = "application/octet-stream";
  }
  if (draft.filename) part.filename = text_at("filename", *draft.filename);
  part.type = std::move(draft.type);
  step.multipart.push_back(std::move(part));
}

void place_capture(Reader& reader, const YamlNode& node, CaptureDraft&& draft, Step& step) {
  Capture capture = captured(reader, node, std::move(draft));
  const Reader::Step as(reader, "as");
  Reading::of(reader).capture(capture.as, node.find("as")->value.line);
  step.captures.push_back(std::move(capture));
}

void place_call_capture(Reader& reader, const YamlNode& node, CaptureDraft&& draft, Call& call) {
  Capture capture = captured(reader, node, std::move(draft));
  const Reader::Step as(reader, "as");
  Reading::of(reader).capture_for_all(capture.as, node.find("as")->value.line);
  call.captures.push_back(std::move(capture));
}

}  // namespace prove::rules
