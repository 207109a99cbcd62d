// The table of a campaign file's keys: one row a key. From it come the parser, the JSON Schema and the
// reference in docs/campaigns.md.
//
// Owner: the program; rows are constants.  Thread: any.
#pragma once

#include "config/keys.h"

namespace prove {

const config::Section& campaign_section();  // owner: Campaign; its reader has to be a Reading

// The parts of the table, each in a file of its own.
extern const config::Section kProcessSection;   // Process
extern const config::Section kTargetSection;    // Target
extern const config::Section kTokenSection;     // TokenSpec
extern const config::Section kProofSection;     // ProofSpec
extern const config::Section kDataSection;      // DataDraft
extern const config::Section kDeedSection;      // Deed
extern const config::Section kFaultSection;     // Fault
extern const config::Section kStepSection;      // Step
extern const config::Section kScenarioSection;  // Scenario
extern const config::Section kExpectSection;    // Expect
extern const config::Section kCaptureSection;   // CaptureDraft

}  // namespace prove
