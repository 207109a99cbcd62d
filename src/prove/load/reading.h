// What a campaign file is read with: the walk along the table of keys, and what can be said only when all of
// it is read: that each name which stands for something stands for something that exists.
//
// Owner:    load_campaign(), for one load.
// Thread:   the one that loads.
// Failures: config::ConfigError at the key's line.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/reader.h"
#include "prove/model/model.h"

namespace prove {

class Reading : public config::Reader {
 public:
  Reading(const std::string& file, const config::Env& env, Campaign& campaign_)
      : config::Reader(file, env), campaign(campaign_) {}

  // The reader that every row gets is the Reading of this load.
  static Reading& of(config::Reader& reader) { return static_cast<Reading&>(reader); }

  enum class Where : std::uint8_t { kStep, kCall, kToken };  // which names a template may hold
  enum class Named : std::uint8_t { kTarget, kProcess, kScenario, kPhase, kFault, kWindow, kProof };

  // Where a template's values go: what such a place cannot hold, a data set must not bring there.
  enum class Place : std::uint8_t { kText, kField, kTarget };

  // A template at the key being read; its names are checked by finish_names().
  Template compile(std::string_view text, int line, Where where, Place at = Place::kText);
  // The same for a text that is filled outside the load.
  void check_text(std::string_view text, int line, Where where);
  // The key being read names something that must exist; finish_names() checks it.
  void refer(Named what, std::string_view name, int line);
  // The key being read holds an expression; finish_names() checks it.
  void expression(std::string_view text, int line);
  void definition(std::string_view name, int line);  // the same for a value of `define`

  // The step being read is signed with the keys of this target ("": the first), which must have some.
  void sign_with(std::string_view target, int line);

  void begin_scenario();
  void capture(std::string_view name, int line);  // of the step being read
  void end_step();                                // what it captures, later steps may use
  // Whether templates may hold what the step being read captures: they are filled when it has its reply.
  void reply_is_there(bool there) { reply_is_there_ = there; }

  // The same of the setup's call being read: it is a value for users, later calls, faults and teardown.
  void capture_for_all(std::string_view name, int line);
  void end_call();

  // A value of templates gets its name, which no other may have.
  void name_value(std::string_view what, std::string_view name, int line);

  void finish_names();

  Campaign& campaign;

 private:
  struct Spot {
    std::string path;
    int line = 0;
  };
  struct Reference {
    Named what;
    std::string name;
    Spot place;
  };
  struct Hole {
    std::string name;
    Where where;
    std::size_t scenario;
    bool captured;  // by an earlier step
    Place at;       // kTarget: as it is, not encoded
    Spot place;
    bool begins = false;  // the path, which then has to be one
    bool alone = false;   // with no '/' of the path's own behind it
  };
  struct Expression {
    std::string text;  // of a definition: its name
    bool definition;
    Spot place;
  };
  struct ValueAt {
    std::string what;
    int line = 0;
  };

  Spot here(int line) const { return {path(), line}; }
  bool in_setup() const { return path().starts_with("setup"); }
  [[noreturn]] void fail_at(const Spot& place, std::string_view message) const;
  void finish(const Reference& reference) const;
  void finish(const Hole& hole) const;
  void check_rows(const Hole& hole, const DataSpec& set, std::size_t column) const;
  void check_beginning(const Hole& hole, const std::string& value, std::string_view where) const;
  void finish(const Expression& expression) const;
  void check_signer(const Reference& signer) const;
  void check_captures() const;
  std::vector<std::string_view> names_of(Named what) const;

  std::vector<Reference> references_;
  std::vector<Hole> holes_;
  std::vector<Expression> expressions_;
  std::vector<Reference> signers_;
  std::map<std::string, ValueAt, std::less<>> values_;              // data sets and tokens
  std::vector<std::map<std::string, Spot, std::less<>>> captures_;  // of each scenario
  std::map<std::string, Spot, std::less<>> captures_of_step_;
  std::map<std::string, Spot, std::less<>> captures_of_setup_, captures_of_call_;
  bool reply_is_there_ = false;
};

}  // namespace prove
