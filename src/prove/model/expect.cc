#include "prove/model/expect.h"

namespace prove {
namespace {

void add(const JsonWanted& wanted, std::vector<const Template*>& out) {
  out.push_back(&wanted.text);
  for (const JsonWanted& item : wanted.items) add(item, out);
}

}  // namespace

std::vector<const Template*> Expect::templates() const {
  std::vector<const Template*> out;
  out.reserve(headers.size() + body.size() + json.size());
  for (const HeaderCheck& check : headers) out.push_back(&check.value);
  for (const TextCheck& check : body) out.push_back(&check.value);
  for (const JsonCheck& check : json) add(check.wanted, out);
  return out;
}

}  // namespace prove
