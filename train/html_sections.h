// The sections of report.html, each as HTML; empty where there is nothing to tell.
#pragma once

#include <string>

#include "eigengrad/train/html_report.h"
#include "eigengrad/train/run_files.h"

namespace eigengrad::train::html {

/// A frame around a part of a section.
inline std::string card(const std::string& body) { return "<div class=\"card\">" + body + "</div>\n"; }

// ---- html_figures.cc: from the files of the run.

/// Name, state and data of the run.
std::string head(const RunFiles& files, const ReportMatter& matter);
/// The most telling figures.
std::string headline(const RunFiles& files, const ReportMatter& matter);
/// Every metric over the epochs, and the table behind.
std::string curves(const RunFiles& files);

// ---- html_answers.cc: what the model says of the test data.

std::string classes(const ReportMatter& matter);
std::string mistakes(const ReportMatter& matter);
std::string sequences(const ReportMatter& matter);
/// Outputs against targets that are numbers.
std::string scatter(const ReportMatter& matter);

// ---- html_model.cc: what was trained, and how it was computed.

std::string model_table(const ReportMatter& matter);
std::string machine_list(const RunFiles& files, const ReportMatter& matter);
/// The resolved configuration.
std::string configuration(const RunFiles& files);

}  // namespace eigengrad::train::html
