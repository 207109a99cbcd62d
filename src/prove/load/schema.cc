#include "prove/load/schema.h"

#include "config/reference.h"
#include "config/schema.h"
#include "prove/load/guide.h"
#include "prove/load/keys.h"

namespace prove {

std::string campaign_schema() {
  return config::json_schema(campaign_section(), "urn:sekisho:campaign", "A campaign of sekisho prove");
}

std::string campaign_reference() {
  return std::string(kGuide) + config::reference_tables(campaign_section(), "Top level", false);
}

}  // namespace prove
