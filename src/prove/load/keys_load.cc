// The keys of what is sent: tokens, data sets, scenarios and their steps.
#include "prove/load/forms.h"
#include "prove/load/keys.h"
#include "prove/load/rows.h"
#include "prove/load/rules.h"
#include "prove/load/words.h"

namespace config::rows {

// In the order of the enumerations.
template <>
struct WordsOf<prove::TokenAlgorithm> {
  static constexpr std::string_view kNames[] = {"HS256", "HS384", "HS512", "RS256", "PS256",
                                                "ES256", "ES384", "EdDSA", "none"};
};
template <>
struct WordsOf<prove::Tamper> {
  static constexpr std::string_view kNames[] = {"nothing", "signature", "payload"};
};
template <>
struct WordsOf<prove::ProofAlgorithm> {
  static constexpr std::string_view kNames[] = {"ES256", "ES384", "EdDSA", "RS256", "PS256"};
};
template <>
struct WordsOf<prove::Forge> {
  static constexpr std::string_view kNames[] = {"nothing",  "replay",     "ath",     "htm",   "htu", "host",
                                                "iat_past", "iat_future", "jti",     "nonce", "key", "typ",
                                                "alg",      "signature",  "private", "twice"};
};
template <>
struct WordsOf<prove::NonceUse> {
  static constexpr std::string_view kNames[] = {"carry", "answer", "ignore"};
};
template <>
struct WordsOf<prove::StepType> {
  static constexpr std::string_view kNames[] = {"http", "s3"};
};
template <>
struct WordsOf<prove::Cookies> {
  static constexpr std::string_view kNames[] = {"off", "journey", "user"};
};

}  // namespace config::rows

namespace prove {
namespace {

using namespace rows;          // NOLINT(google-build-using-namespace): the vocabulary of this one table
using namespace config::rows;  // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;
using rows::kLive;

// ---- tokens

constexpr Row kTokenKeyRows[] = {
    file<&TokenKeyDraft::file>("file", "", kLive,
                               "A file with the key; one newline at its end is not part of it."),
    config::rows::text<&TokenKeyDraft::env>("env", "", kLive,
                                            "The name of a variable, as in `${…}`, that holds the key."),
    secret<&TokenKeyDraft::value, config::SecretBytes>("value", "", kLive, "The key itself."),
};
constexpr config::Section kTokenKey =
    table<TokenKeyDraft>({"token_key", "",
                          "A signing key: exactly one of `file`, `env` and `value`. For HS algorithms the "
                          "bytes of the secret, for the "
                          "others a private key in PEM.",
                          "file"},
                         kTokenKeyRows);

consteval Row claims_row() {
  Row row = own<TokenSpec>(Kind::kOpen, "claims", "",
                           "The claims beside `iat` and `exp`, of any JSON type; texts may hold `{{index}}`, "
                           "which counts the tokens. What stands in quotes is a text.");
  row.read = [](Reader& reader, const Row&, const YamlNode& node, void* owner) {
    rules::place_claims(reader, node, *static_cast<TokenSpec*>(owner));
  };
  return row;
}

constexpr Row kTokenRows[] = {
    word<&TokenSpec::algorithm>("algorithm", "HS256", kLive,
                                "What it is signed with; `none` makes an unsigned one."),
    draft<TokenSpec, TokenKeyDraft, kTokenKey, rules::place_token_key>("key", "", kLive, "The signing key."),
    written<&TokenSpec::kid, form::Word>("kid", "", "The key's id in the token's header."),
    claims_row(),
    duration<&TokenSpec::ttl>("ttl", "1h", {1s, 8760h}, kLive,
                              "How long it is good from the beginning of the run."),
    toggle<&TokenSpec::expired>("expired", "false", kLive, "Let it have expired, `ttl` ago."),
    word<&TokenSpec::tamper>(
        "tamper", "nothing", kLive,
        "What a forger changes after it was signed: a bit of the signature, or the payload."),
    count<&TokenSpec::count>("count", "1", {1, 1'000'000}, kLive,
                             "How many are minted; each request that names it takes one of them."),
    reference<&TokenSpec::proof, Reading::Named::kProof>(
        "proof", "",
        "Whose keys it is bound to: the claim `cnf` has the thumbprint (`jkt`, RFC 9449) of a key of that "
        "one of `proofs`."),
};

// ---- proofs of possession

constexpr Row kProofRows[] = {
    word<&ProofSpec::algorithm>("algorithm", "ES256", kLive, "What proofs are signed with."),
    draft<ProofSpec, TokenKeyDraft, kTokenKey, rules::place_proof_key>(
        "key", "(made for the run)", kLive, "The private key, in PEM. It never leaves the harness."),
    count<&ProofSpec::keys>(
        "keys", "1", {1, 10'000}, kLive,
        "How many key pairs are made; token number n of a set is bound to number n modulo that, and a step "
        "proves with the one that its token is bound to."),
};

constexpr Row kStepProofRows[] = {
    reference<&StepProof::by, Reading::Named::kProof>("proof", config::kRequired, "One of `proofs`."),
    word<&StepProof::forge>(
        "forge", "nothing", kLive,
        "What is wrong with the proof, all else being right. `replay`: it is the one that an earlier step of "
        "the same request has sent; `ath`, `htm`, `htu`, `host`: it is about another token, method, path or "
        "server; `iat_past`, `iat_future`: made an hour ago, or in an hour; `jti`: it has none; `nonce`: one "
        "that nobody gave; `key`: signed by a key that nothing is bound to; `typ`: `jwt`; `alg`: `none`; "
        "`signature`: a bit of it differs; `private`: its `jwk` has a private member, a made-up one; "
        "`twice`: there are two."),
    word<&StepProof::nonce>("nonce", "carry", kLive,
                            "`carry`: a proof holds the last `DPoP-Nonce` that its user got from the target. "
                            "`answer`: besides, a "
                            "reply that asks for one (401 with `use_dpop_nonce`, 400 with a new nonce) is "
                            "answered with it, once; "
                            "`retries` counts that. `ignore`: proofs hold none."),
};
constexpr config::Section kStepProof = table<StepProof>(
    {"dpop", "", "A fresh proof of possession (DPoP, RFC 9449) in a header field of each request.", "proof"},
    kStepProofRows);

// ---- data

constexpr Row kDataRows[] = {
    written<&DataDraft::range, form::Range>("range", "", "Whole numbers, from one to another."),
    written<&DataDraft::values, form::Line>("values", "", "The values themselves."),
    file<&DataDraft::file>(
        "file", "", kLive,
        "A `.csv` file with a header line, or a `.json` file with a list of texts or of objects."),
    word<&DataDraft::choose>(
        "choose", "uniform", kLive,
        "How a row is picked: evenly, by Zipf's law with the first row the most frequent, or "
        "one after the other."),
    written<&DataDraft::exponent, form::Number>("exponent", "(1 with zipf)", "The exponent of Zipf's law."),
};

// ---- steps

void put_header_template(Reader& reader, const Entry& entry, std::string&& name, std::string&& value,
                         Step& step) {
  step.headers.emplace_back(
      std::move(name),
      Reading::of(reader).compile(value, entry.value.line, Reading::Where::kStep, Reading::Place::kField));
}
void put_think(Reader&, const YamlNode&, form::Think::Value&& range, Step& step) {
  step.think_min = range.first;
  step.think_max = range.second;
}

struct MethodName {
  char text[8];
};
template <MethodName M>
consteval Row method_row(std::string_view name, std::string_view about) {
  Row row = templ<&Step::path, form::Path>(name, "", about);
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    auto& step = *static_cast<Step*>(owner);
    const std::string text = read_value<form::Path>(reader, self, node);
    step.method = M.text;
    step.path = Reading::of(reader).compile(text, node.line, Reading::Where::kStep, Reading::Place::kTarget);
  };
  return row;
}

constexpr Row kCaptureRows[] = {
    written<&CaptureDraft::json, form::Line>(
        "json", "", "A JSON pointer (RFC 6901) into the body, such as `/items/0/id`."),
    config::rows::text<&CaptureDraft::header, config::HeaderName>(
        "header", "", kLive,
        "A header field. Of one that comes several times all values, with `, ` between; of Set-Cookie the "
        "first."),
    written<&CaptureDraft::regex, form::Word>(
        "regex", "",
        "A regular expression (ECMAScript) with one group, found in the body; beside `header` in a value of "
        "that field, the first that has it."),
    written<&CaptureDraft::as, form::ValueName>("as", config::kRequired,
                                                "The value's name in the templates of later steps."),
};
constexpr Row kPartRows[] = {
    written<&PartDraft::name, form::Word>("name", config::kRequired, "The field's name, a template."),
    written<&PartDraft::value, form::Block>("value", "", "Its value, a template."),
    file<&PartDraft::file>("file", "", kLive, "A file whose bytes are the value."),
    written<&PartDraft::filename, form::Word>("filename", "(that of the file)",
                                              "The file's name, a template; a value may have one, too."),
    written<&PartDraft::type, form::Word>("type", "(application/octet-stream of a file)",
                                          "Its media type, such as `image/png`."),
};
constexpr config::Section kPart =
    table<PartDraft>({"part", "", "A field of a form: exactly one of `value` and `file`.", ""}, kPartRows);

constexpr Row kRepeatRows[] = {
    count<&RepeatDraft::times>("times", config::kRequired, {1, 1'000'000}, kLive,
                               "How often; with `until` at the most."),
    written<&RepeatDraft::until, form::Line>(
        "until", "",
        "A comparison as in `if`, asked after each request; also of what that has captured. Where it has not "
        "come true after `times`, the last request has failed: `until`."),
};
constexpr config::Section kRepeat = table<RepeatDraft>(
    {"repeat", "", "How often a step or a group of steps is done, with `think` after each request.", "times"},
    kRepeatRows);

constexpr Row kStepRows[] = {
    written<&Step::name, form::Word>("name", "(method and path)", "Its name in the report."),
    config::rows::text<&Step::tags, config::Name>(
        "tags", "[]", kLive, "Names of what it has in common with other steps, for checks: `tag`."),
    word<&Step::type>("type", "http", kLive,
                      "`s3`: the request is signed (SigV4) with the target's access key; the path is "
                      "`/bucket/key`."),
    reference<&Step::target, Reading::Named::kTarget>("target", "(the first)", "Where it goes."),
    method_row<MethodName{"GET"}>("get", "GET this path, with its query."),
    method_row<MethodName{"HEAD"}>("head", "HEAD this path."),
    method_row<MethodName{"POST"}>("post", "POST to this path."),
    method_row<MethodName{"PUT"}>("put", "PUT to this path."),
    method_row<MethodName{"PATCH"}>("patch", "PATCH this path."),
    method_row<MethodName{"DELETE"}>("delete", "DELETE this path."),
    templ<&Step::path, form::Path, Reading::Place::kTarget>("path", "", "The path for any other `method`."),
    written<&Step::method, form::Method>("method", "GET", "The method, with `path`."),
    pairs<Step, config::HeaderName, form::Line, put_header_template>("headers",
                                                                     "Header fields; values are templates."),
    templ<&Step::body, form::Block>("body", "", "The body."),
    file<&Step::body_file>("body_file", "", kLive, "A file whose bytes are the body."),
    size<&Step::body_size>("body_size", "0", {0, 16_TiB}, kLive, "So many generated bytes as the body."),
    drafts<Step, PartDraft, kPart, rules::place_part>(
        "multipart", "[]", kLive, "The fields of a form, with files, as the body (multipart/form-data)."),
    duration<&Step::timeout>("timeout", "30s", {1ms, 24h}, kLive,
                             "From when it sets out, connecting included, to the end of the reply."),
    drafts<Step, CaptureDraft, kCaptureSection, rules::place_capture>("capture", "[]", kLive,
                                                                      "Values of the reply for later steps."),
    section<&Step::expect, kExpectSection>("expect", "What the reply must be."),
    put<Step, form::Think, put_think>("think", "0s", "How long the user waits after the step."),
    draft<Step, StepProof, kStepProof, rules::place_dpop>(
        "dpop", "", kLive, "Prove possession of a key: the name of one of `proofs`, or more about it."),
    count<&Step::follow>(
        "follow", "0", {0, 20}, kLive,
        "How many redirects are followed, to targets of the campaign; the last reply is judged."),
    toggle<&Step::decompress>(
        "decompress", "false", kLive,
        "Asks for `gzip`, and looks at what comes out of it: checks, captures, length."),
    put<Step, form::Line, rules::put_if>("if", "",
                                         "`LEFT == RIGHT`, `LEFT != RIGHT`, or a value that is not to be "
                                         "empty; templates. Else the step is left "
                                         "out, which is no failure and no request: `left_out`."),
    draft<Step, RepeatDraft, kRepeat, rules::place_repeat>("repeat", "", kLive,
                                                           "So many times, or until something comes true."),
    drafts<Step, Step, kStepSection, rules::place_group_step>(
        "steps", "[]", kLive, "Instead of a request: steps that share this `if` and this `repeat`."),
};

constexpr Row kScenarioRows[] = {
    written<&Scenario::weight, form::Number>("weight", "1",
                                             "Its share of the journeys, among those of all scenarios."),
    count<&Scenario::connections>(
        "connections", "64", {1, 65'536}, kLive,
        "With a rate: how many journeys may be under way at a time, each on a connection of its own."),
    toggle<&Scenario::reconnect>("reconnect", "false", kLive,
                                 "Whether each journey begins with a new connection."),
    toggle<&Scenario::resend>(
        "resend", "false", kLive,
        "Whether a request of a method that may be sent twice (GET, HEAD, PUT, DELETE, OPTIONS, TRACE) is "
        "sent "
        "once more when a kept connection was closed or reset before a byte of the reply came; `retries` "
        "counts them. Else that is a failure: `reset`."),
    size<&Scenario::bandwidth>("bandwidth", "0", {0, 16_TiB}, kLive,
                               "How many bytes of a body are read in a second. 0: as they come."),
    word<&Scenario::cookies>(
        "cookies", "off", kLive,
        "Whether users keep cookies and send them, and for how long: a journey, or the whole run "
        "as that user."),
    drafts<Scenario, Step, kStepSection, rules::place_step>("steps", config::kRequired, kLive,
                                                            "The journey's requests, one after the other."),
};

}  // namespace

constinit const config::Section kTokenSection =
    table<TokenSpec>({"token", "", "A token (JWT) that the harness mints before the first phase.", ""},
                     kTokenRows, checked<TokenSpec, rules::check_token>);

constinit const config::Section kProofSection = table<ProofSpec>(
    {"proof", "",
     "Key pairs of the holder of tokens: `tokens` are bound to them, steps prove to have them (`dpop`).",
     "algorithm"},
    kProofRows, checked<ProofSpec, rules::check_proof>);

constinit const config::Section kDataSection = table<DataDraft>(
    {"data", "", "Values for templates: exactly one of `range`, `values` and `file`.", "range"}, kDataRows);

constinit const config::Section kStepSection =
    table<Step>({"step", "",
                 "One request: one of `get`, `head`, `post`, `put`, `patch` and `delete`, or `path` with a "
                 "`method`. Or a "
                 "group of steps.",
                 ""},
                kStepRows, checked<Step, rules::check_step>);

constinit const config::Section kScenarioSection = table<Scenario>(
    {"scenario", "", "A journey: steps one after the other, up to the first that goes wrong.", ""},
    kScenarioRows);

constinit const config::Section kCaptureSection =
    table<CaptureDraft>({"capture", "",
                         "A value taken from a reply: exactly one of `json`, `header` and `regex`, or "
                         "`header` with `regex`. Of the "
                         "body the first 1MiB is looked at.",
                         ""},
                        kCaptureRows);

}  // namespace prove
