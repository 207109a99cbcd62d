#include "prove/report/document.h"

#include <fmt/format.h>

#include "prove/record/markup.h"
#include "prove/report/html_table.h"
#include "prove/report/page.h"

namespace prove {
namespace {

std::string_view css_of(Tone tone) {
  return tone == Tone::kGood ? "good" : tone == Tone::kBad ? "bad" : tone == Tone::kUnsure ? "unsure" : "";
}

std::string_view sign_of(Tone tone) {
  return tone == Tone::kGood ? "✅ " : tone == Tone::kBad ? "❌ " : tone == Tone::kUnsure ? "❔ " : "";
}

// ---- HTML

std::string cell_html(const DocCell& cell, const DocHead& head, bool first) {
  std::string css(head.figures ? "n" : "");
  if (const std::string_view tone = css_of(cell.tone); !tone.empty())
    css += (css.empty() ? "" : " ") + std::string(tone);
  const std::string_view element = first ? "th" : "td";
  return fmt::format("<{0}{1}{2}>{3}{4}</{0}>", element, first ? " scope=\"row\"" : "",
                     css.empty() ? "" : fmt::format(" class=\"{}\"", css),
                     html(cell.text.empty() ? "–" : cell.text),
                     cell.sub.empty() ? "" : "<span class=\"sub\">" + html(cell.sub) + "</span>");
}

std::string table_html(const DocTable& table) {
  std::vector<HtmlHead> heads;
  heads.reserve(table.heads.size());
  for (const DocHead& head : table.heads) heads.push_back({head.text, head.figures});
  HtmlTable out(heads);
  for (const std::vector<DocCell>& row : table.rows) {
    out.row();
    for (std::size_t i = 0; i < row.size(); ++i) out.markup(cell_html(row[i], table.heads[i], i == 0));
  }
  if (table.folded)
    return fmt::format("<details><summary>{}</summary>\n{}</details>\n", html(table.title),
                       std::move(out).html());
  return (table.title.empty() ? "" : "<h3>" + html(table.title) + "</h3>\n") + std::move(out).html();
}

std::string lines_html(const std::vector<DocLine>& lines, std::string_view css) {
  if (lines.empty()) return "";
  std::string out = fmt::format("<ul class=\"{}\">\n", css);
  for (const DocLine& line : lines) {
    const std::string_view tone = css_of(line.tone);
    out += tone.empty() ? "<li>" : fmt::format("<li class=\"{}\">", tone);
    if (!line.about.empty()) out += "<b>" + html(line.about) + "</b> ";
    out += html(line.text) + "</li>\n";
  }
  return out + "</ul>\n";
}

std::string section_html(const DocSection& section) {
  std::string out = fmt::format("<section id=\"{}\"><h2>{}</h2>\n", section.id, html(section.title));
  if (!section.lead.empty()) out += "<p class=\"quiet\">" + html(section.lead) + "</p>\n";
  if (!section.figures.empty()) {
    out += "<div class=\"cards\">\n";
    for (const DocFigure& f : section.figures)
      out += fmt::format("<div class=\"card\"><span>{}</span><strong>{}</strong><small>{}</small></div>\n",
                         html(f.label), html(f.value), html(f.note));
    out += "</div>\n";
  }
  out += lines_html(section.lines, "reasons");
  for (const DocTable& table : section.tables) out += table_html(table);
  for (const DocCharts& charts : section.charts)
    out += fmt::format("<div data-run>\n{}{}{}</div>\n",
                       charts.title.empty() ? "" : "<h3>" + html(charts.title) + "</h3>\n", charts.figures,
                       chart_island(charts.data, ""));
  return out + "</section>\n";
}

// ---- Markdown

std::string table_markdown(const DocTable& table) {
  std::string out = "|";
  for (const DocHead& head : table.heads) out += " " + markdown(head.text) + " |";
  out += "\n|";
  for (const DocHead& head : table.heads) out += head.figures ? "--:|" : "---|";
  out += "\n";
  for (const std::vector<DocCell>& row : table.rows) {
    out += "|";
    for (const DocCell& cell : row) {
      out += fmt::format(" {}{}", sign_of(cell.tone), markdown(cell.text.empty() ? "–" : cell.text));
      if (!cell.sub.empty()) out += " (" + markdown(cell.sub) + ")";
      out += " |";
    }
    out += "\n";
  }
  if (table.folded)
    return fmt::format("<details><summary>{}</summary>\n\n{}\n</details>\n\n", html(one_line(table.title)),
                       out);
  return (table.title.empty() ? "" : "### " + markdown(table.title) + "\n\n") + out + "\n";
}

std::string lines_markdown(const std::vector<DocLine>& lines) {
  std::string out;
  for (const DocLine& line : lines)
    out += fmt::format("- {}{}{}\n", sign_of(line.tone),
                       line.about.empty() ? "" : "**" + markdown(line.about) + "** ", markdown(line.text));
  return out.empty() ? out : out + "\n";
}

}  // namespace

std::string document_html(const Document& document) {
  std::string out = page_head(fmt::format("{}: {}", document.verdict, document.title));
  out += fmt::format(
      "<body>\n<header class=\"banner {}\">\n<p class=\"verdict\">{}</p>\n<h1>{}</h1>\n<p "
      "class=\"meta\">{}</p>\n",
      document.css, html(document.verdict), html(document.title), html(document.facts));
  out += lines_html(document.warnings, "reasons warnings") + "</header>\n<main>\n<nav>";
  for (const DocSection& section : document.sections)
    out += fmt::format("<a href=\"#{}\">{}</a> ", section.id, html(section.title));
  out += "</nav>\n";
  for (const DocSection& section : document.sections) out += section_html(section);
  return out + "</main>\n" + page_end(document.foot);
}

std::string document_markdown(const Document& document) {
  const Tone tone = document.css == "pass"   ? Tone::kGood
                    : document.css == "fail" ? Tone::kBad
                                             : Tone::kUnsure;
  std::string out = fmt::format("# {}{}: {}\n\n{}\n\n", sign_of(tone), document.verdict,
                                markdown(document.title), markdown(document.facts));
  for (const DocLine& warning : document.warnings) out += "- ⚠️ " + markdown(warning.text) + "\n";
  if (!document.warnings.empty()) out += "\n";
  for (const DocSection& section : document.sections) {
    std::string body;
    for (const DocFigure& f : section.figures)
      body += fmt::format("- {}: **{}** {}\n", markdown(f.label), markdown(f.value), markdown(f.note));
    if (!body.empty()) body += "\n";
    body += lines_markdown(section.lines);
    for (const DocTable& table : section.tables) body += table_markdown(table);
    if (body.empty()) continue;  // pictures alone
    out += "## " + markdown(section.title) + "\n\n";
    if (!section.lead.empty()) out += markdown(section.lead) + "\n\n";
    out += body;
  }
  return out + markdown(document.foot) + "\n";
}

}  // namespace prove
