#include "prove/import/import.h"

#include <stdexcept>

#include "prove/import/document.h"
#include "prove/import/draft.h"
#include "prove/import/sources.h"

namespace prove {

std::string import_campaign(std::string_view text, const std::string& name) {
  if (text.size() > kMaxImport) throw std::runtime_error(name + ": is larger than 64MiB");
  const import::Json document = import::read_document(text, name);
  import::Cover cover;
  import::Draft draft;
  if (import::find(&document, "log") != nullptr)
    import::read_har(document, draft, cover, name);
  else if (import::find(&document, "openapi") != nullptr)
    import::read_openapi(document, draft, cover, name);
  else if (import::find(&document, "swagger") != nullptr)
    throw std::runtime_error(name + ": is Swagger 2.0; OpenAPI 3.0 and 3.1 can be read");
  else
    throw std::runtime_error(name + ": is neither HAR (a member 'log') nor OpenAPI (a member 'openapi')");
  if (draft.steps() == 0) throw std::runtime_error(name + ": has no request that can be sent");
  for (import::DraftScenario& scenario : draft.scenarios)
    for (import::DraftStep& step : scenario.steps) {
      cover.everywhere(step.path);
      cover.everywhere(step.body);
      for (auto& [field, value] : step.headers) cover.everywhere(value);
    }
  return import::write_campaign(draft, cover, name);
}

}  // namespace prove
