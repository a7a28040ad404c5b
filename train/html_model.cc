#include <algorithm>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/check.h"
#include "eigengrad/io/html.h"
#include "eigengrad/train/html_sections.h"
#include "eigengrad/train/machine.h"
#include "eigengrad/train/wording.h"

namespace eigengrad::train::html {

using config::Value;
using io::escape_html;

namespace {

// ---- The model.

std::string step_bar(const ModuleTime& time, double all) {
  if (all <= 0) return "";
  return fmt::format(
      "{:.1f} %<span class=\"bar two wide\"><i style=\"width:{:.1f}%\"></i><i style=\"width:{:.1f}%\"></i></span>",
      100 * (time.forward + time.backward) / all, 100 * time.forward / all, 100 * time.backward / all);
}

}  // namespace

std::string model_table(const ReportMatter& matter) {
  if (!matter.summary) return "";
  const nn::Summary& summary = *matter.summary;
  const bool timed = matter.profile && matter.profile->modules.size() == summary.rows.size();
  std::string table = "<tr><th>layer</th><th>output</th><th class=\"n\">parameters</th><th class=\"n\">FLOPs</th>";
  if (timed) table += "<th class=\"n\">share of a step</th>";
  table += "</tr>\n";
  for (std::size_t i = 0; i < summary.rows.size(); ++i) {
    const nn::SummaryRow& row = summary.rows[i];
    const std::string last = row.name.substr(row.name.rfind('.') + 1);
    table += fmt::format(
        "<tr><td style=\"padding-left:{}px\">{}<span class=\"type\">{}</span></td><td class=\"soft\">{}</td><td "
        "class=\"n\">{}</td><td class=\"n\">{}</td>",
        18 * row.depth, row.name.empty() ? "" : "<b>" + escape_html(last) + "</b> ", escape_html(row.type),
        row.ran ? to_string(row.output) : "not run",
        row.parameters == 0 ? "–" : grouped(static_cast<double>(row.parameters)),
        row.flops == 0 ? "–" : abbreviated(row.flops));
    if (timed) table += "<td class=\"n\">" + step_bar(matter.profile->modules[i], matter.profile->seconds) + "</td>";
    table += "</tr>\n";
  }
  std::string text = fmt::format("<p class=\"soft\">{} parameters, {} of them trainable; {}FLOP for a sample forward.",
                                 grouped(static_cast<double>(summary.parameters())),
                                 grouped(static_cast<double>(summary.trainable())), abbreviated(summary.flops()));
  if (timed)
    text += fmt::format(
        " A step of {} samples takes {} forward and back, without the update: <span class=\"key\"></span>forward <span "
        "class=\"key b\"></span>backward. What no layer takes is the loss.",
        matter.profile->batch, duration(matter.profile->seconds));
  return text + "</p>" + card("<div class=\"scroll\"><table>" + table + "</table></div>");
}

namespace {

// ---- How it was computed.

// JSON with colours: short arrays on one line.
std::string colored(const Value& value, int depth) {
  const std::string indent(static_cast<std::size_t>(2 * depth), ' ');
  const auto is_flat = [](const Value& v) { return !v.as_array() && !v.as_object(); };
  std::string text;
  if (const Value::Object* const object = value.as_object()) {
    if (object->empty()) return "{}";
    for (const auto& [key, member] : *object)
      text += fmt::format("{}{}  <span class=\"k\">{}</span>: {}", text.empty() ? "{\n" : ",\n", indent,
                          escape_html(config::to_json(key, -1)), colored(member, depth + 1));
    return text + "\n" + indent + "}";
  }
  if (const Value::Array* const array = value.as_array()) {
    if (array->empty()) return "[]";
    const bool flat = std::all_of(array->begin(), array->end(), is_flat);
    for (const Value& element : *array)
      text += flat ? (text.empty() ? "[" : ", ") + colored(element, depth)
                   : fmt::format("{}{}  {}", text.empty() ? "[\n" : ",\n", indent, colored(element, depth + 1));
    return flat ? text + "]" : text + "\n" + indent + "]";
  }
  return fmt::format("<span class=\"{}\">{}</span>", value.as_string() ? "s" : "v",
                     escape_html(config::to_json(value, -1)));
}

}  // namespace

std::string machine_list(const RunFiles& files, const ReportMatter& matter) {
  const Value* const left = (files.ended() ? files.result : files.facts).find("machine");
  const Value facts = left && left->as_object() ? *left : machine_facts();
  std::string list;
  const auto fact = [&](const char* name, const std::string& text) {
    if (!text.empty()) list += fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, escape_html(text));
  };
  const auto count = [&](const char* key) {
    const auto number = number_at(facts, key);
    return number ? fmt::format("{:.0f}", *number) : "";
  };
  fact("Version", "Eigengrad " + text_at(facts, "version"));
  if (const auto seed = number_at(files.config, "seed")) fact("Seed", fmt::format("{:.0f}", *seed));
  if (const auto seconds = number_at(files.result, "seconds")) fact("Time", duration(*seconds));
  fact("Processor", text_at(facts, "processor"));
  fact("Threads", count("threads") + " of " + count("processors"));
  fact("Instructions", text_at(facts, "instructions"));
  fact("Products by", text_at(facts, "engine"));
  if (const auto bytes = number_at(facts, "memory_bytes"))
    fact("Memory", fmt::format("{:.1f} GiB", *bytes / (1 << 30)));
  fact("System", text_at(facts, "system"));
  if (matter.train_samples > 0) fact("Training samples", grouped(static_cast<double>(matter.train_samples)));
  return "<dl>" + list + "</dl>";
}

std::string configuration(const RunFiles& files) {
  return "<details class=\"card\" open><summary>The configuration, with every default (config.json)</summary><pre>" +
         colored(files.config, 0) + "</pre></details>\n";
}

}  // namespace eigengrad::train::html
