#include "config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "config/error.h"
#include "config/hints.h"

namespace config {
namespace {

constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxBytes = 32 << 20;  // of the tree, with aliases copied out

std::size_t weight(const YamlNode& node) {
  std::size_t bytes = sizeof(YamlNode) + node.text.size();
  for (const YamlNode& item : node.items) bytes += weight(item);
  for (const Entry& entry : node.entries) bytes += entry.name.size() + weight(entry.value);
  return bytes;
}

// Grows the tree from yaml-cpp's events. (Its own tree loses duplicate keys.)
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(std::string_view file) : file_(file) {}

  static YamlNode empty() {
    YamlNode node;
    node.kind = YamlNode::Kind::kMap;
    node.line = 1;
    return node;
  }
  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    complete(make(YamlNode::Kind::kNull, mark), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) fail(mark, "an alias stands inside its own anchor");
    spend(weight(known->second), mark.line + 1);
    complete(YamlNode(known->second), 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    YamlNode node = make(YamlNode::Kind::kScalar, mark);
    node.text = value;
    node.quoted = tag == "!";
    complete(std::move(node), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::kMap);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    YamlNode node;
    YAML::anchor_t anchor;
    std::optional<Entry> key;  // of a map, between a key and its value
  };

  static YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark) {
    YamlNode node;
    node.kind = kind;
    node.line = mark.line + 1;
    return node;
  }
  [[noreturn]] void fail(const YAML::Mark& mark, std::string_view message) const {
    throw ConfigError(file_, mark.line + 1, "", message);
  }
  // Plain scalars and collections carry "?" or "", quoted scalars "!".
  void check_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != "?" && tag != "!") fail(mark, "YAML tags are not supported");
  }
  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YamlNode::Kind kind) {
    check_tag(mark, tag);
    if (stack_.size() >= kMaxDepth) fail(mark, "is nested too deeply");
    stack_.push_back(Frame{make(kind, mark), anchor, std::nullopt});
  }
  void spend(std::size_t bytes, int line) {
    bytes_ += bytes;
    if (bytes_ > kMaxBytes) throw ConfigError(file_, line, "", "is too large, or its aliases make it so");
  }
  void close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    complete(std::move(frame.node), frame.anchor);
  }
  void complete(YamlNode node, YAML::anchor_t anchor) {
    const int line = node.line;
    spend(sizeof(YamlNode) + node.text.size(), line);
    if (anchor != 0) anchors_[anchor] = node;
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& parent = stack_.back();
    if (parent.node.kind == YamlNode::Kind::kList) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      if (node.kind != YamlNode::Kind::kScalar)
        throw ConfigError(file_, line, "", "a key must be plain text");
      parent.key = Entry{.name = std::move(node.text), .line = line, .value = {}};
    } else {
      if (node.kind == YamlNode::Kind::kNull) node.line = parent.key->line;  // its mark is the next token's
      parent.key->value = std::move(node);
      parent.node.entries.push_back(std::move(*parent.key));
      parent.key.reset();
    }
  }

  std::string_view file_;
  YamlNode root_;
  std::vector<Frame> stack_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  std::size_t bytes_ = 0;
};

}  // namespace

const Entry* YamlNode::find(std::string_view name) const {
  for (const Entry& entry : entries)
    if (entry.name == name) return &entry;
  return nullptr;
}

int line_of_key(const YamlNode& root, std::string_view key) {
  const YamlNode* at = &root;
  int line = root.line;
  while (!key.empty()) {
    const std::size_t dot = std::min(key.find('.'), key.size());
    const Entry* const entry = at->find(key.substr(0, dot));
    if (entry == nullptr) break;
    line = entry->line;
    at = &entry->value;
    key.remove_prefix(std::min(dot + 1, key.size()));
  }
  return line;
}

YamlNode parse_yaml(const std::string& text, std::string_view file) {
  try {
    // yaml-cpp takes a newline at the end of the file for the end of an open quote; a comment it does not.
    std::istringstream in(text + "\n#");
    YAML::Parser parser(in);
    Builder builder(file);
    if (!parser.HandleNextDocument(builder)) return Builder::empty();
    YamlNode root = builder.take();
    if (Builder rest(file); parser.HandleNextDocument(rest))
      throw ConfigError(file, rest.take().line, "", "one document only, but here a second begins");
    return root;
  } catch (const YAML::Exception& e) {
    const std::string_view lines = std::string_view(text).substr(0, text.empty() ? 0 : text.size() - 1);
    const int last = 1 + static_cast<int>(std::ranges::count(lines, '\n'));
    const int line = std::min(e.mark.line + 1, last);
    if (const auto hint = hint_for_syntax(text, line, e.msg))
      throw ConfigError(file, hint->line, "", "is not valid YAML: " + hint->message);
    throw ConfigError(file, line, "", "is not valid YAML: " + e.msg);
  }
}

}  // namespace config
