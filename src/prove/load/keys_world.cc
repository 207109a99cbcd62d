// The keys of what is under test and of what is done to it: processes, targets, calls, deeds, faults.
#include <array>

#include "prove/load/forms.h"
#include "prove/load/keys.h"
#include "prove/load/rows.h"
#include "prove/load/rules.h"
#include "prove/load/words.h"

namespace prove {
namespace {

using namespace rows;  // NOLINT(google-build-using-namespace): the vocabulary of this one table
using namespace std::chrono_literals;
using config::rows::checked;
using config::rows::count;
using config::rows::draft;
using config::rows::drafts;
using config::rows::duration;
using config::rows::file;
using config::rows::section;
using config::rows::table;
using config::rows::toggle;
using config::rows::url;

constexpr std::string_view kWebPattern = "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+([/?][^#]*)?$";

template <auto M>
consteval Row web_address(std::string_view name, std::string_view fallback, std::string_view about) {
  Row row = config::rows::value<M, WebAddressText>(Kind::kUrl, {name, fallback, {}, kLive, about});
  row.pattern = kWebPattern;
  return row;
}

template <auto M>
void put_pair(Reader&, const Entry&, std::string&& name, std::string&& value,
              config::rows::OwnerOf<M>& owner) {
  (owner.*M).emplace_back(std::move(name), std::move(value));
}

// ---- TLS, calls

constexpr Row kTlsRows[] = {
    toggle<&Tls::verify>("verify", "true", kLive, "Whether the certificate is verified."),
    file<&Tls::ca_file>("ca_file", "", kLive,
                        "PEM file of the authorities to trust instead of the system's."),
    config::rows::text<&Tls::server_name, config::HostName>(
        "server_name", "", kLive, "The name to ask for and to verify, where it is not the host."),
};
constexpr config::Section kTls =
    table<Tls>({"tls", "", "TLS towards an https URL.", ""}, kTlsRows, checked<Tls, rules::check_tls>);

void put_call_header(Reader& reader, const Entry& entry, std::string&& name, std::string&& value,
                     Call& call) {
  Reading::of(reader).check_text(value, entry.value.line, Reading::Where::kCall);
  call.headers.emplace_back(std::move(name), std::move(value));
}
void put_call_body(Reader& reader, const YamlNode& node, std::string&& body, Call& call) {
  Reading::of(reader).check_text(body, node.line, Reading::Where::kCall);
  call.body = std::move(body);
}
void put_call_status(Reader&, const YamlNode&, StatusRange&& range, Call& call) {
  call.status_from = range.first;
  call.status_to = range.second;
}
consteval Row call_url() {
  Row row = web_address<&Call::url>("url", config::kRequired, "Where the request goes, with its query.");
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    auto& call = *static_cast<Call*>(owner);
    call.url = config::rows::read_value<WebAddressText>(reader, self, node);
    Reading::of(reader).check_text(call.url.path, node.line, Reading::Where::kCall);
  };
  return row;
}

constexpr Row kCallRows[] = {
    call_url(),
    written<&Call::method, form::Method>("method", "GET", "The method."),
    pairs<Call, config::HeaderName, form::Line, put_call_header>("headers", "Header fields."),
    put<Call, form::Block, put_call_body>("body", "", "The body."),
    put<Call, form::Status, put_call_status>("status", "2xx", "What the answer must be."),
    count<&Call::repeat>("repeat", "1", {1, 1'000'000}, kLive,
                         "How often; `{{index}}` counts from 0 in URL, headers and body."),
    section<&Call::tls, kTls>("tls", "TLS, where the URL is https."),
    drafts<Call, CaptureDraft, kCaptureSection, rules::place_call_capture>(
        "capture", "[]", kLive,
        "In `setup`: values of the reply for users, later calls and the teardown, a row for each "
        "repetition."),
    config::rows::word<&Call::choose>(
        "choose", "uniform", kLive,
        "How users pick among the rows of a repeated `capture`: evenly, by Zipf's law (exponent 1), or one "
        "after the other."),
};
constexpr config::Section kCall = table<Call>(
    {"call", "",
     "An HTTP request that is no part of the load. Its texts may hold `{{index}}`, tokens and what "
     "the setup captured.",
     "url"},
    kCallRows, checked<Call, rules::check_call>);

// ---- processes

constexpr Row kReadyRows[] = {
    web_address<&Ready::url>("url", "", "A URL that answers with `status`."),
    count<&Ready::status>("status", "200", {100, 599}, kLive, "The status that means ready."),
    written<&Ready::tcp, form::HostPort>("tcp", "", "Or an address that takes connections."),
    duration<&Ready::timeout>("timeout", "30s", {1ms, 1h}, kLive,
                              "How long it may take; then the campaign cannot run."),
};
constexpr config::Section kReady =
    table<Ready>({"ready", "", "How one knows that a process is up: exactly one of `url` and `tcp`.", "url"},
                 kReadyRows, checked<Ready, rules::check_ready>);

constexpr Row kProcessRows[] = {
    written<&Process::command, form::Line>("command", config::kRequired,
                                           "The program and its arguments; no shell reads them."),
    pairs<Process, form::EnvName, form::Line, put_pair<&Process::env>>(
        "env", "Environment variables beside the harness's own and those of `${PORT_…}`."),
    file<&Process::folder>("folder", "(the campaign file's)", kLive, "The working folder."),
    written<&Process::stdin_text, form::Block>("stdin", "", "A text that it is given as standard input."),
    section<&Process::ready, kReady>("ready", "When it counts as up. At once where absent."),
    duration<&Process::stop>("stop", "10s", {1ms, 1h}, kLive,
                             "How long it may take to end after SIGTERM; then SIGKILL."),
};

// ---- targets

constexpr Row kTargetRows[] = {
    url<&Target::url>("url", config::kRequired, kLive,
                      "Where requests go; the paths of steps are put behind a path in it."),
    section<&Target::tls, kTls>("tls", "TLS, where the URL is https."),
    web_address<&Target::metrics>("metrics", "",
                                  "A page of Prometheus metrics, read before, during and after the load."),
    pairs<Target, config::HeaderName, form::Line, put_pair<&Target::metrics_headers>>(
        "metrics_headers", "Header fields sent when metrics are read."),
    reference<&Target::process, Reading::Named::kProcess>(
        "process", "", "The process whose memory, CPU time, descriptors and threads are watched."),
    count<&Target::pid>("pid", "0", {0, 4'194'304}, kLive,
                        "The same for a process that the campaign did not start. 0: none."),
    config::rows::text<&Target::access_key_id, config::AccessKeyId>("access_key_id", "", kLive,
                                                                    "For steps of type s3."),
    config::rows::secret<&Target::secret_access_key, config::SecretText>(
        "secret_access_key", "", kLive, "For steps of type s3: what they are signed with."),
    config::rows::secret<&Target::session_token, config::OptionalSecret>(
        "session_token", "", kLive, "For steps of type s3 with temporary credentials; may be empty."),
    config::rows::text<&Target::region, config::Region>(
        "region", "us-east-1", kLive, "For steps of type s3: the region that they are signed for."),
    url<&Target::public_url>("public_url", "(url)", kLive,
                             "For steps with `dpop`: the URL by which the target knows itself."),
};

// ---- deeds: the same keys in setup, teardown, `undo` and faults

Deed& deed_of(Deed& deed) {
  return deed;
}
Deed& deed_of(Fault& fault) {
  return fault.deed;
}

template <class Owner, Deed::Kind K>
void put_process(Reader& reader, const YamlNode& node, std::string&& name, Owner& owner) {
  Reading::of(reader).refer(Reading::Named::kProcess, name, node.line);
  deed_of(owner).kind = K;
  deed_of(owner).process = std::move(name);
}
template <class Owner>
void put_signal(Reader&, const YamlNode&, int&& number, Owner& owner) {
  deed_of(owner).kind = Deed::Kind::kSignal;
  deed_of(owner).signal = number;
}
template <class Owner>
void put_call(Reader& reader, const YamlNode& node, Call&& call, Owner& owner) {
  rules::place_call(reader, node, std::move(call), deed_of(owner));
}
template <class Owner>
consteval Row deed_command() {
  Row row = own<Owner>(Kind::kForm, "command", "", "Run a program and wait for it; it must exit with 0.");
  row.list = true;
  row.form = "text";
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    Deed& deed = deed_of(*static_cast<Owner*>(owner));
    deed.kind = Deed::Kind::kCommand;
    std::size_t index = 0;
    for (const YamlNode& item : reader.items(self, node)) {
      const Reader::Step step(reader, index++);
      deed.command.push_back(config::rows::read_value<form::Line>(reader, self, item));
    }
  };
  return row;
}
template <class Owner>
consteval Row deed_timeout() {
  Row row = own<Owner>(Kind::kDuration, "timeout", "60s",
                       "How long a call or a command may take; then it has failed.");
  row.bounds = {1ms, 24h};
  row.read = [](Reader& reader, const Row& self, const YamlNode& node, void* owner) {
    deed_of(*static_cast<Owner*>(owner)).timeout =
        config::rows::read_value<config::Duration>(reader, self, node);
  };
  return row;
}

struct ProcessName {  // as a form: references are checked when all is read
  using Value = std::string;
  static constexpr std::string_view kForm = "name of a process";
  static constexpr std::string_view kPattern = "";
  static Parsed<std::string> parse(std::string_view text) { return config::Name::parse(text); }
};

template <class Owner, Deed::Kind K>
consteval Row deed_process(std::string_view name, std::string_view about) {
  return put<Owner, ProcessName, put_process<Owner, K>>(name, "", about);
}

template <class Owner>
inline constexpr std::array kDeedRows = {
    draft<Owner, Call, kCall, put_call<Owner>>("call", "", kLive, "Send an HTTP request."),
    deed_command<Owner>(),
    deed_process<Owner, Deed::Kind::kPause>("pause", "Stop a process (SIGSTOP); a fault's end continues it."),
    deed_process<Owner, Deed::Kind::kTerminate>(
        "terminate", "End a process (SIGTERM) and wait for it; a fault's end starts it again."),
    deed_process<Owner, Deed::Kind::kKill>("kill",
                                           "Kill a process (SIGKILL); a fault's end starts it again."),
    deed_process<Owner, Deed::Kind::kRestart>("restart",
                                              "End a process, wait for it and start it again at once."),
    put<Owner, form::Signal, put_signal<Owner>>("signal", "", "Send this signal to `process`."),
    deed_process<Owner, Deed::Kind::kSignal>("process", "With `signal`: who gets it."),
    deed_timeout<Owner>(),
};

constexpr std::array kFaultOwnRows = {
    config::rows::text<&Fault::name, config::Name>(
        "name", config::kRequired, kLive,
        "Its name in the report, and that of the window from its beginning to its end."),
    duration<&Fault::at>("at", config::kRequired, {0ms, 720h}, kLive,
                         "When it begins, from the beginning of the first phase."),
    duration<&Fault::duration>("for", "0s", {0ms, 720h}, kLive,
                               "How long it lasts. Without it nothing is undone."),
    draft<Fault, Deed, kDeedSection, rules::place_undo>(
        "undo", "", kLive, "What is done at its end, where that does not undo itself."),
};

template <std::size_t A, std::size_t B>
consteval std::array<Row, A + B> joined(const std::array<Row, A>& a, const std::array<Row, B>& b) {
  std::array<Row, A + B> out;
  std::ranges::copy(a, out.begin());
  std::ranges::copy(b, out.begin() + A);
  return out;
}
constexpr auto kFaultRows = joined(kFaultOwnRows, kDeedRows<Fault>);

}  // namespace

constinit const config::Section kProcessSection = table<Process>(
    {"process", "", "A process that the harness starts before the setup and ends at last.", ""}, kProcessRows,
    checked<Process, rules::check_process>);

constinit const config::Section kTargetSection =
    table<Target>({"target", "", "A server that takes the load.", "url"}, kTargetRows,
                  checked<Target, rules::check_target>);

constinit const config::Section kDeedSection =
    table<Deed>({"deed", "",
                 "One thing done to the world: exactly one of `call`, `command`, `pause`, `terminate`, "
                 "`kill`, `restart` and "
                 "`signal`.",
                 ""},
                kDeedRows<Deed>, checked<Deed, rules::check_deed>);

constinit const config::Section kFaultSection =
    table<Fault>({"fault", "", "A deed on the timeline, with what `setup` may have.", ""}, kFaultRows,
                 checked<Fault, rules::check_fault>);

}  // namespace prove
