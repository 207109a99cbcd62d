// A document of sections, tables and charts, before it is HTML or Markdown: said once, so that both agree.
//
// Owner:    whoever builds it.  Thread: one.
// Texts:    plain; the renderers escape them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace prove {

enum class Tone : std::uint8_t { kPlain, kGood, kBad, kUnsure };

struct DocCell {
  std::string text;
  std::string sub = {};  // below it, smaller
  Tone tone = Tone::kPlain;
};

struct DocHead {
  std::string text;
  bool figures = false;  // a column of figures: to the right
};

struct DocTable {
  std::string title = {};  // "": none
  std::vector<DocHead> heads;
  std::vector<std::vector<DocCell>> rows = {};
  bool folded = false;  // shown when asked for; then it has a title
};

struct DocLine {
  std::string text;
  std::string about = {};  // the run that it comes from, in front of it
  Tone tone = Tone::kPlain;
};

struct DocFigure {
  std::string label, value, note;
};

struct DocCharts {         // of one run; HTML alone shows them
  std::string title = {};  // "": none
  std::string figures;     // ready HTML, from page.h
  std::string data;        // JSON for them
};

struct DocSection {
  std::string id, title;
  std::string lead = {};  // a sentence below the title
  std::vector<DocFigure> figures = {};
  std::vector<DocLine> lines = {};
  std::vector<DocTable> tables = {};
  std::vector<DocCharts> charts = {};
};

struct Document {
  std::string title;
  std::string verdict, css;            // "FAIL", and what the style sheet calls it
  std::string facts;                   // below the title, smaller
  std::vector<DocLine> warnings = {};  // what a reader must know before any figure
  std::vector<DocSection> sections = {};
  std::string foot;
};

std::string document_html(const Document& document);
std::string document_markdown(const Document& document);

}  // namespace prove
