// What no single key of a campaign file can tell: which keys go together, what follows from what. The tables
// hang these on their sections.
//
// Failures: ConfigError, at the line of the key in question.
#pragma once

#include "config/reader.h"
#include "prove/load/drafts.h"
#include "prove/model/model.h"

namespace prove::rules {

using config::Entry;
using config::Reader;
using config::YamlNode;

void place_process(Reader&, const Entry&, Process&&, Campaign&);
void place_target(Reader&, const Entry&, Target&&, Campaign&);
void place_token(Reader&, const Entry&, TokenSpec&&, Campaign&);
void place_token_key(Reader&, const YamlNode&, TokenKeyDraft&&, TokenSpec&);
void place_claims(Reader&, const YamlNode&, TokenSpec&);
void place_proof(Reader&, const Entry&, ProofSpec&&, Campaign&);
void place_proof_key(Reader&, const YamlNode&, TokenKeyDraft&&, ProofSpec&);
void place_dpop(Reader&, const YamlNode&, StepProof&&, Step&);
void place_data(Reader&, const Entry&, DataDraft&&, Campaign&);
void place_prepare(Reader&, const YamlNode&, Deed&&, Campaign&);
void place_setup(Reader&, const YamlNode&, Deed&&, Campaign&);
void place_teardown(Reader&, const YamlNode&, Deed&&, Campaign&);
void place_call(Reader&, const YamlNode&, Call&&, Deed&);
void place_undo(Reader&, const YamlNode&, Deed&&, Fault&);
void place_fault(Reader&, const YamlNode&, Fault&&, Campaign&);
void place_scenario(Reader&, const Entry&, Campaign&);
void place_step(Reader&, const YamlNode&, Step&&, Scenario&);
void place_part(Reader&, const YamlNode&, PartDraft&&, Step&);
void place_group_step(Reader&, const YamlNode&, Step&&, Step& group);
void put_if(Reader&, const YamlNode&, std::string&& text, Step&);
void place_repeat(Reader&, const YamlNode&, RepeatDraft&&, Step&);
void place_capture(Reader&, const YamlNode&, CaptureDraft&&, Step&);
void place_call_capture(Reader&, const YamlNode&, CaptureDraft&&, Call&);
void put_text(Reader&, const YamlNode&, TextTest, const std::string& text, std::vector<TextCheck>&);
void place_header_checks(Reader&, const Entry&, std::vector<TextCheck>&&, Expect&);
void place_json_checks(Reader&, const YamlNode&, Expect&);
void place_phase(Reader&, const YamlNode&, Phase&&, Campaign&);
void place_window(Reader&, const Entry&, Window&&, Campaign&);
void place_guardrail(Reader&, const YamlNode&, Check&&, Campaign&);
void place_require(Reader&, const YamlNode&, Check&&, Campaign&);

void check_process(Reader&, const YamlNode&, Process&);
void check_ready(Reader&, const YamlNode&, Ready&);
void check_tls(Reader&, const YamlNode&, Tls&);
void check_target(Reader&, const YamlNode&, Target&);
void check_token(Reader&, const YamlNode&, TokenSpec&);
void check_call(Reader&, const YamlNode&, Call&);
void check_proof(Reader&, const YamlNode&, ProofSpec&);
void check_deed(Reader&, const YamlNode&, Deed&);
void check_fault(Reader&, const YamlNode&, Fault&);
void check_step(Reader&, const YamlNode&, Step&);
void check_expect(Reader&, const YamlNode&, Expect&);
void check_phase(Reader&, const YamlNode&, Phase&);
void check_campaign(Reader&, const YamlNode&, Campaign&);

// The bytes of a body or data file; ConfigError at `line` when it cannot be read or is larger.
std::string read_file(Reader&, const std::string& written, int line, std::size_t most);

bool is_json_pointer(std::string_view text);  // RFC 6901, 3

}  // namespace prove::rules
