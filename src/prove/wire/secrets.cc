#include "prove/wire/secrets.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace prove {
namespace {

constexpr std::string_view kHidden = "…";

void hide(std::string& command, const std::string& secret) {
  if (secret.empty()) return;
  for (std::size_t at = 0; (at = command.find(secret, at)) != command.npos; at += kHidden.size())
    command.replace(at, secret.size(), kHidden);
}

// As it is, and as it stands within a shell's quotes.
void hide_value(std::string& command, std::string_view secret) {
  hide(command, std::string(secret));
  std::string quoted;
  for (const char c : secret) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  hide(command, quoted);
}

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The end of the shell's word that goes on at `at`, without the quote that ends it.
std::size_t end_of_word(std::string_view text, std::size_t at, bool quoted) {
  if (!quoted) return std::min(text.find(' ', at), text.size());
  for (std::size_t quote = text.find('\'', at); quote != text.npos; quote = text.find('\'', quote + 4))
    if (text.substr(quote, 4) != "'\\''") return quote;
  return text.size();
}

void hide_named(std::string& command) {
  bool quoted = false;
  for (std::size_t at = 0; at < command.size(); ++at) {
    if (quoted && std::string_view(command).substr(at, 4) == "'\\''") {  // a quote within quotes
      at += 3;
      continue;
    }
    if (command[at] == '\'') quoted = !quoted;
    if (command[at] != '=') continue;
    std::size_t from = at;
    while (from > 0 && is_name(command[from - 1])) --from;
    if (!sounds_secret(std::string_view(command).substr(from, at - from))) continue;
    command.replace(at + 1, end_of_word(command, at + 1, quoted) - at - 1, kHidden);
    at += kHidden.size();
  }
}

void add_fields(std::vector<std::string>& texts, const Pairs& headers) {
  for (const auto& [name, value] : headers)
    if (sounds_secret(name)) texts.push_back(value);
}

// The values of header fields that authorize.
std::vector<std::string> authorizations(const Campaign& campaign) {
  std::vector<std::string> texts;
  for (const Target& target : campaign.targets) add_fields(texts, target.metrics_headers);
  for (const auto* deeds : {&campaign.prepare, &campaign.setup, &campaign.teardown})
    for (const Deed& deed : *deeds) add_fields(texts, deed.call.headers);
  for (const Fault& fault : campaign.faults) {
    add_fields(texts, fault.deed.call.headers);
    if (fault.undo) add_fields(texts, fault.undo->call.headers);
  }
  for (const Scenario& scenario : campaign.scenarios)
    for (const Step& step : scenario.steps)
      for (const auto& [name, value] : step.headers)
        if (sounds_secret(name)) texts.push_back(value.text());
  return texts;
}

}  // namespace

bool sounds_secret(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  constexpr std::array<std::string_view, 11> kParts = {
      "secret",        "token",     "passw",     "key",     "cookie", "creden",
      "authorization", "signature", "assertion", "session", "jwt"};
  if (std::ranges::any_of(kParts, [&](std::string_view word) { return lower.contains(word); })) return true;
  // These are parts of other words (`author`, `design`, `inside`), so only as words.
  constexpr std::array<std::string_view, 8> kWords = {"pass", "pwd", "auth", "sig",
                                                      "sid",  "otp", "pin",  "nonce"};
  for (std::size_t from = 0; from < lower.size();) {
    const std::size_t to =
        std::min(lower.find_first_not_of("abcdefghijklmnopqrstuvwxyz", from), lower.size());
    if (std::ranges::find(kWords, std::string_view(lower).substr(from, to - from)) != kWords.end())
      return true;
    from = to + 1;
  }
  return false;
}

std::string without_secrets(std::string command, const Campaign& campaign,
                            const std::map<std::string, std::string>& set) {
  for (const TokenSpec& token : campaign.tokens) hide_value(command, token.key.reveal());
  for (const ProofSpec& proof : campaign.proofs) hide_value(command, proof.key.reveal());
  for (const Target& target : campaign.targets) {
    hide_value(command, target.secret_access_key.reveal());
    hide_value(command, target.session_token.reveal());
  }
  for (const std::string& text : authorizations(campaign))
    for (const auto& [name, value] : set)
      if (text.contains(value)) hide_value(command, value);
  hide_named(command);
  return command;
}

}  // namespace prove
