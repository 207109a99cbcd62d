#include "config/reference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "config/keys.h"

namespace config {
namespace {

constexpr std::string_view kPreface = R"(# Configuration

<!-- Generated from the tables in src/config/keys*.cc by `sekisho schema --docs`; a test keeps it so. -->

One YAML file, read by `sekisho serve -c FILE`, checked by `sekisho check -c FILE`, and read again on SIGHUP. It
is strict: an unknown key, a key given twice, a wrong type or a value out of bounds is an error, in one line with
file, line and key. A reload that fails leaves the running configuration as it is.

```yaml
listen: 0.0.0.0:8080
origins:
  site: { type: dir, path: ./public }
routes:
  - { path: /, origin: site, cache: { ttl: 10m } }
```

More under [examples](../examples/). `sekisho schema` prints a JSON Schema for editors.

## How values are written

| Value | Written as |
|---|---|
| switch | `true`, `false`, `on` or `off` |
| duration | a whole number and a unit, or several from large to small: `500ms`, `10s`, `3m30s`, `1h`, `1d` |
| size | bytes, or a whole number and a unit: `64KB` (1,000), `16KiB` (1,024), `16MiB`, `1GiB` |
| address | an IP address and a port: `0.0.0.0:8080`, `"[::1]:8080"` |
| network | an address, with or without a prefix: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7` |
| URL | `http://` or `https://`, a host, and maybe a port and a path; no user, query or fragment |
| rate | a whole number of requests and a time: `100/s`, `10/m`, `1000/h`, `5/10s` |
| file | a path; a relative one begins at the folder of the configuration file |
| list | `[a, b]`; one item may stand without its brackets |

`${NAME}` in a value is replaced by the environment variable of that name, which must be set; `${NAME:-default}`
gives a default for one that is unset or empty; `$${` stands for a plain `${`. This happens after the YAML is
parsed and only in values, so a variable can hold any text. Quote such values within `{ }` and `[ ]`.

*Reload* says what a change takes: *live* keys follow SIGHUP, *restart* keys need a new process. Of an origin, a
change of a key that *forgets* finds nothing of what was cached before (it is there again when the key is changed
back), and one that *reconnects* makes new connections and keeps what is cached. Of an identity or a rule over
claims, the one has remembered tokens checked again, the other the issuer's keys fetched again. All other live
keys keep both.
)";

std::string_view kind_name(const Row& row) {
  switch (row.kind) {
    case Kind::kSwitch:
      return "switch";
    case Kind::kCount:
      return "number";
    case Kind::kSize:
      return "size";
    case Kind::kDuration:
      return "duration";
    case Kind::kText:
      return "text";
    case Kind::kFile:
      return "file";
    case Kind::kSecret:
      return "text, secret";
    case Kind::kWord:
      return "word";
    case Kind::kAddress:
      return "address";
    case Kind::kNetwork:
      return "network";
    case Kind::kUrl:
      return "URL";
    case Kind::kForm:
      return row.form;
    case Kind::kPairs:
      return "map of texts";
    case Kind::kOpen:
      return "map of any values";
    case Kind::kSection:
      return "map";
    case Kind::kNamed:
      return "map of names";
    case Kind::kPlanned:
      break;
  }
  return "";
}

std::string code(std::string_view text) {
  return fmt::format("`{}`", text);
}

// As the renderers make it from a heading: lower case, punctuation gone, spaces to dashes.
std::string anchor(std::string_view heading) {
  std::string out;
  for (const char c : heading) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-') out += c;
    if (c >= 'A' && c <= 'Z') out += static_cast<char>(c + 32);
    if (c == ' ') out += '-';
  }
  return out;
}

class Reference {
 public:
  explicit Reference(bool reload) : reload_(reload) {}

  std::string whole(const Section& root, std::string_view top) {
    add(std::string(top), "", root);
    return std::move(out_);
  }

 private:
  struct Chapter {
    std::string heading, path;
    const Section* section;
  };

  void add(const std::string& heading, const std::string& path, const Section& section) {
    out_ += fmt::format("\n## {}\n\n{}\n\n", heading, section.text);
    out_ += reload_ ? "| Key | Value | Default | Reload | Meaning |\n|---|---|---|---|---|\n"
                    : "| Key | Value | Default | Meaning |\n|---|---|---|---|\n";
    if (!section.type.empty())
      out_ += fmt::format("| `type` | `{}` | required | live | Which kind it is. |\n", section.type);
    const std::size_t first = chapters_.size();
    for (const Section* part : {&section, section.common})
      if (part != nullptr)
        for (const Row& row : part->rows)
          if (row.kind != Kind::kPlanned) add(path, row);
    const std::size_t last = chapters_.size();
    for (std::size_t i = first; i < last; ++i) {
      const Chapter next = chapters_[i];
      add(next.heading, next.path, *next.section);
    }
  }

  void add(const std::string& path, const Row& row) {
    out_ += fmt::format("| {} | {} | {} |", code(row.name), value(path, row), fallback(row));
    if (reload_) out_ += fmt::format(" {} |", row.sections.empty() || row.list ? reload(row) : "");
    out_ += fmt::format(" {} |\n", row.text);
  }

  std::string value(const std::string& path, const Row& row) {
    std::string out(kind_name(row));
    if (row.kind == Kind::kWord) {
      std::vector<std::string> words;
      for (const std::string_view word : row.words) words.push_back(code(word));
      out = fmt::format("{}", fmt::join(words, ", "));
    }
    if (row.bounds.exist())
      out += fmt::format(", {} to {}", show_bound(row.kind, row.bounds.least),
                         show_bound(row.kind, row.bounds.most));
    std::vector<std::string> links;
    for (const Section* section : row.sections) links.push_back(link(path, row, *section));
    if (!links.empty()) out = fmt::format("{}", fmt::join(links, ", "));
    if (row.kind == Kind::kNamed) out = "names, each " + out;
    return row.list ? out + ", or a list" : out;
  }

  std::string link(const std::string& path, const Row& row, const Section& section) {
    const std::string here = path + std::string(row.name) +
                             (row.kind == Kind::kNamed ? ".<name>"
                              : row.list               ? "[]"
                                                       : "");
    std::string heading =
        code(here) + (section.type.empty() ? "" : fmt::format(" of type {}", code(section.type)));
    const auto known = std::ranges::find(chapters_, &section, &Chapter::section);
    if (known == chapters_.end())
      chapters_.push_back({heading, here + ".", &section});
    else
      heading = known->heading;
    std::string what(section.type.empty() ? "map" : code(section.type));
    if (!section.shorthand.empty()) {
      const Row& bare = *section.find(section.shorthand);
      what = fmt::format("{} or map",
                         bare.kind == Kind::kWord ? code(bare.words[0]) : std::string(kind_name(bare)));
    }
    return fmt::format("[{}](#{})", what, anchor(heading));
  }

  static std::string fallback(const Row& row) {
    if (row.fallback.empty() || row.required()) return std::string(row.fallback);
    if (row.fallback.starts_with('(')) return code(row.fallback.substr(1, row.fallback.size() - 2));
    return code(row.fallback);
  }

  static std::string_view reload(const Row& row) {
    if (row.reload == Reload::kRestart) return "restart";
    if (decides(row.decides, Decides::kAnswer)) return "live, forgets";
    return decides(row.decides, Decides::kTransport) ? "live, reconnects" : "live";
  }

  bool reload_;
  std::string out_;
  std::vector<Chapter> chapters_;  // each section once, however many keys lead to it
};

}  // namespace

std::string reference_markdown() {
  return std::string(kPreface) + reference_tables(root_section(), "Top level", true);
}

std::string reference_tables(const Section& root, std::string_view top, bool reload) {
  return Reference(reload).whole(root, top);
}

}  // namespace config
