// A campaign as the program sees it: plain values, every default in place, every reference checked.
//
// Owner:    prove::run(), for one run.
// Thread:   immutable after load, so any.
// Units:    durations are as the file says; load() has applied --time-scale to what lies on the timeline
//           (phases, faults, windows) and to nothing else.
//
// What a key is called, its bounds and its text stand in keys.cc, one row a key. Values in `${…}` are filled
// while the file is read: --set, then PORT_<NAME> (a free port, the same one for the whole run), SEKISHO
// (this binary), RUN_DIR (a scratch folder of the run), CAMPAIGN_DIR, then the environment. Values in `{{…}}`
// are templates, filled for each request: see template.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "config/model.h"
#include "prove/model/condition.h"
#include "prove/model/expect.h"
#include "prove/model/outcome.h"
#include "prove/model/template.h"
#include "prove/model/web_address.h"

namespace prove {

using base::Millis;
using base::Nanos;
using Pairs = std::vector<std::pair<std::string, std::string>>;

// ---- what is under test

struct Ready {     // when a process counts as up
  WebAddress url;  // answers `status`; empty: no probe by HTTP
  std::uint64_t status = 200;
  std::string tcp;  // host:port that accepts; "": none
  Millis timeout{30'000};
};

struct Process {  // started before the setup, stopped after the teardown
  std::string name;
  int line = 0;
  std::vector<std::string> command;
  Pairs env;               // beside this process's own environment and the PORT_ variables
  std::string folder;      // working folder; default: that of the campaign file
  std::string stdin_text;  // given to it; default: /dev/null
  Ready ready;
  Millis stop{10'000};  // SIGTERM, then SIGKILL after this
};

struct Tls {
  bool verify = true;
  std::string ca_file;
  std::string server_name;
};

struct Target {
  std::string name;
  int line = 0;
  config::Url url;  // its path stands before those of steps
  Tls tls;
  WebAddress metrics;  // empty: no scrapes
  Pairs metrics_headers;
  std::string process;  // whose /proc figures are those of this target; "": none, or `pid`
  std::uint64_t pid = 0;
  // For steps of type s3.
  std::string access_key_id;
  base::Secret secret_access_key;
  base::Secret session_token;
  std::string region = "us-east-1";
  std::optional<config::Url> public_url;  // what proofs of possession name instead of `url`
};

// ---- what is sent

enum class TokenAlgorithm : std::uint8_t {
  kHS256,
  kHS384,
  kHS512,
  kRS256,
  kPS256,
  kES256,
  kES384,
  kEdDSA,
  kNone
};
enum class Tamper : std::uint8_t { kNothing, kSignature, kPayload };  // after signing: what a forger does

struct TokenSpec {  // {{name}} in a template: one of `count` tokens minted before the first phase
  std::string name;
  int line = 0;
  TokenAlgorithm algorithm = TokenAlgorithm::kHS256;
  base::Secret key;  // HMAC: bytes; else the private key, PEM
  std::string kid;
  Pairs claims;  // value: JSON where it is JSON, else a text; {{index}} counts the tokens
  Millis ttl{3'600'000};
  bool expired = false;  // exp lies `ttl` in the past
  Tamper tamper = Tamper::kNothing;
  std::uint64_t count = 1;
  std::string proof;  // of ProofSpecs the one whose keys it is bound to, by `cnf`; "": to none
};

enum class ProofAlgorithm : std::uint8_t { kES256, kES384, kEdDSA, kRS256, kPS256 };

struct ProofSpec {  // key pairs whose possession steps prove (DPoP, RFC 9449)
  std::string name;
  int line = 0;
  ProofAlgorithm algorithm = ProofAlgorithm::kES256;
  base::Secret key;        // PEM; empty: made for the run
  std::uint64_t keys = 1;  // key pairs; token number n is bound to number n modulo that
};

enum class Forge : std::uint8_t {  // what is wrong with a proof
  kNothing,
  kReplay,     // it is the last one that the user has sent before
  kAth,        // it is about another access token
  kHtm,        // another method
  kHtu,        // another path
  kHost,       // another server
  kPast,       // it was made an hour ago
  kFuture,     // in an hour
  kJti,        // it has no jti
  kNonce,      // its nonce is none of the server's
  kKey,        // it is signed, rightly, by a key that nothing is bound to
  kTyp,        // its type is that of other tokens
  kAlg,        // it is not signed: `none`
  kSignature,  // a bit of the signature differs
  kPrivate,    // its jwk has a private member; made up, since keys do not leave
  kTwice,      // there are two, each of them right
};
enum class NonceUse : std::uint8_t { kCarry, kAnswer, kIgnore };

struct StepProof {  // of a step
  std::string by;   // a ProofSpec's name
  Forge forge = Forge::kNothing;
  NonceUse nonce = NonceUse::kCarry;  // kAnswer: a reply that asks for one is answered, once
};

enum class Choice : std::uint8_t { kUniform, kZipf, kSequence };

struct DataSpec {  // {{name}} or {{name.column}}: a row of it
  std::string name;
  int line = 0;
  std::vector<std::string> columns;            // of a bare list or a range: one, ""
  std::vector<std::vector<std::string>> rows;  // empty for a range
  std::uint64_t from = 0, to = 0;              // range, both inclusive
  bool range = false;
  bool captured = false;  // by a call of the setup: {{column}} are its names, and rows come when it has run
  Choice choose = Choice::kUniform;
  double exponent = 1.0;  // of the Zipf distribution
};

struct Capture {
  enum class Kind : std::uint8_t { kJson, kHeader, kRegex } kind = Kind::kJson;
  std::string from;          // JSON pointer (RFC 6901), field name, regular expression with one group
  std::string as;            // {{as}} in later steps of the journey
  std::string pattern = {};  // of a header field's value; "": all of it
};

struct Part {  // of a body that is multipart/form-data (RFC 7578)
  Template name;
  Template value;
  std::optional<std::string> file;  // the file's bytes, instead of the value
  std::optional<Template> filename;
  std::string type;  // "": none is said
};

enum class StepType : std::uint8_t { kHttp, kS3 };

struct Repeat {
  std::uint64_t times = 1;         // at the most, where there is
  std::optional<Condition> until;  // this: if it does not come true, the last request has failed
};

struct Step {
  std::string name;  // default: "GET /path as written"
  int line = 0;
  std::vector<std::string> tags;  // by which checks ask for it
  StepType type = StepType::kHttp;
  std::string target;  // default: the first
  std::string method = "GET";
  Template path;  // and query; begins with '/', or with a value that should
  std::vector<std::pair<std::string, Template>> headers;
  Template body;
  std::optional<std::string> body_file;  // a file whose bytes are the body; load() saw that it can be read
  std::uint64_t body_size = 0;           // that many generated bytes instead
  std::vector<Part> multipart;           // or a form with files
  Millis timeout{30'000};
  std::vector<Capture> captures;
  Expect expect;
  Millis think_min{0}, think_max{0};  // after the step
  std::optional<StepProof> dpop;
  std::optional<Condition> only_if;  // else it is left out
  Repeat repeat;
  std::uint64_t follow = 0;  // so many redirects, to targets of the campaign
  bool decompress = false;   // asks for gzip and looks at what comes out of it
  std::vector<Step> steps;   // of a group, which is no request; load() lays them end to end
};

struct Block {                   // steps of a scenario that have an `if` or a `repeat`, one or several
  std::size_t from = 0, to = 0;  // `to`: behind the last
  std::optional<Condition> only_if;
  Repeat repeat;
};

enum class Cookies : std::uint8_t { kOff, kJourney, kUser };  // how long a user keeps them

struct Scenario {
  std::string name;
  int line = 0;
  double weight = 1;
  std::uint64_t connections =
      64;                  // open model: journeys of this scenario at a time, each on a connection of its own
  bool reconnect = false;  // a new connection for each journey
  bool resend = false;     // once more what a kept connection lost unread: counted as a retry
  std::uint64_t bandwidth = 0;  // bytes a second at which bodies are read; 0: as fast as they come
  Cookies cookies = Cookies::kOff;
  std::vector<Step> steps;
  std::vector<Block> blocks;  // each before those that it holds
};

// ---- the timeline

enum class Arrivals : std::uint8_t { kEven, kPoisson };

struct Phase {
  std::string name;
  int line = 0;
  bool warm_up = false;  // reported, and no part of any verdict
  Millis duration{0};
  // open: the rate goes from the one to the other in `ramp` and stays; closed: so do the users
  std::optional<std::pair<double, double>> rate;  // a second
  std::optional<std::pair<std::uint64_t, std::uint64_t>> users;
  std::optional<Millis> ramp;  // default: the whole phase
  Arrivals arrivals = Arrivals::kEven;
  std::vector<std::string> only;  // scenarios; default: all
};

struct Call {  // an HTTP request outside the load: setup, teardown, fault
  std::string method = "GET";
  WebAddress url;
  Tls tls;
  Pairs headers;  // values may hold {{token}}
  std::string body;
  std::uint64_t status_from = 200, status_to = 299;
  std::uint64_t repeat = 1;  // {{index}} counts
  // Of the setup alone: what each reply gives for all that come later, a row of the data set `fills`.
  std::vector<Capture> captures;
  Choice choose = Choice::kUniform;  // how users pick among the rows
  std::string fills;
};

struct Deed {  // one thing done to the world
  enum class Kind : std::uint8_t {
    kCall,
    kCommand,
    kPause,      // SIGSTOP; undone: SIGCONT
    kSignal,     // `signal`; undone: nothing
    kTerminate,  // SIGTERM and waited for; undone: started again
    kKill,       // SIGKILL; undone: started again
    kRestart,    // SIGTERM, waited for and started again at once
  } kind = Kind::kCall;
  int line = 0;
  Call call;
  std::vector<std::string> command;
  std::string process;
  int signal = 0;
  Millis timeout{60'000};
};

struct Fault {
  std::string name;
  int line = 0;
  Millis at{0};        // from the beginning of the first phase
  Millis duration{0};  // the fault's window has the fault's name
  Deed deed;
  std::optional<Deed> undo;  // at the end, where the deed does not undo itself
};

struct Window {
  std::string name;
  int line = 0;
  Millis from{0}, to{0};
};

// ---- the verdict

struct Check {
  int line = 0;
  std::string text;                     // "p95 < 50ms": see expression.h
  std::string name;                     // default: the text
  std::string scenario, phase, window;  // "": all of them
  std::string step, tag;                // one of them at the most; "": all steps
  bool abort = false;                   // ends the run as soon as it is broken by what was seen
  Millis after{0};                      // but not before its part of the run has gone on so long
};

enum class Shares : std::uint8_t { kObserved, kConfident };

struct Validity {       // when a run proves nothing
  double rate = 99;     // percent of the offered rate that was sent, in every open phase
  Millis send_lag{10};  // p99
  double busy = 90;     // percent of a generator thread's time
  // Requests that must lie beyond a percentile that is asked for, and that a share of all or none must have.
  std::uint64_t tail_samples = 10;
  Shares shares = Shares::kObserved;  // what a check of a share is of
  Millis recovered{3'000};            // how long all must hold again for a recovery
  Millis slope{600'000};              // the shortest stretch that a slope is asked of
};

struct Campaign {
  std::string file;        // for messages
  std::string folder;      // of the file
  std::uint64_t hash = 0;  // of the file's text and the values of --set
  std::string name, text;
  std::uint64_t seed = 1;
  double time_scale = 1;
  std::uint64_t generators = 0;    // threads; 0: one
  Millis interval{1'000};          // of the time series
  std::uint64_t backlog = 65'536;  // arrivals that may wait for a connection, each generator
  Millis grace{5'000};             // after the last phase, for what is in flight
  std::uint64_t samples = 3;  // requests that went wrong, of each step and reason, that are kept to be seen
  bool keep_all = false;      // those that went well too: `prove run --debug`
  std::map<std::string, std::uint16_t> ports;  // those that ${PORT_…} chose, by the variable's name
  std::vector<Process> processes;              // in their order
  std::vector<Target> targets;
  std::vector<TokenSpec> tokens;
  std::vector<ProofSpec> proofs;
  std::vector<DataSpec> data;
  std::vector<Deed> prepare;          // calls and commands before the processes start
  std::vector<Deed> setup, teardown;  // while they run, before and after the load
  std::vector<Scenario> scenarios;
  std::vector<Phase> phases;
  std::vector<Fault> faults;
  std::vector<Window> windows;
  Pairs define;                   // names for expressions: hit_ratio: "100 * delta(…) / delta(…)"
  std::vector<Check> guardrails;  // broken: FAIL
  std::vector<Check> require;     // broken: INVALID, since the path under test was not taken
  Validity validity;

  Slots slots;  // of all templates
};

}  // namespace prove
