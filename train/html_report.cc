#include "eigengrad/train/html_report.h"

#include <chrono>
#include <ctime>

#include "eigengrad/core/check.h"
#include "eigengrad/io/file.h"
#include "eigengrad/io/html.h"
#include "eigengrad/io/image.h"
#include "eigengrad/ops/ops.h"
#include "eigengrad/train/html_sections.h"
#include "eigengrad/train/html_style.h"
#include "eigengrad/train/report.h"
#include "eigengrad/train/run_files.h"
#include "eigengrad/train/wording.h"

namespace eigengrad::train {
namespace {

using io::escape_html;
using io::file_in;

constexpr int kReloadSeconds = 5;
constexpr double kLargestShare = 0.02;  // of the time of a run that its report may take

std::string section(const std::string& title, const std::string& body) {
  return body.empty() ? "" : fmt::format("<section><h2>{}</h2>\n{}</section>\n", title, body);
}

}  // namespace

std::string report_page(const std::string& folder, const ReportMatter& matter) {
  const RunFiles files(folder);
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      // Nothing is loaded, whatever stands in names.
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
      "'unsafe-inline'\">\n";
  if (matter.at_work) page += fmt::format("<meta http-equiv=\"refresh\" content=\"{}\">\n", kReloadSeconds);
  page +=
      fmt::format("<title>{}</title>\n<style>{}</style></head><body><main>\n", escape_html(files.name), kReportStyle);
  page += html::head(files, matter) + html::headline(files, matter);
  page += section("How it learned", html::curves(files));
  page += section("Classes", html::classes(matter));
  page += section("Mistakes", html::mistakes(matter));
  page += section("Sequences", html::sequences(matter));
  page += section("Outputs and targets", html::scatter(matter));
  page += section("The model", html::model_table(matter));
  page += section("The run", "<div class=\"grid pair\">" + html::card(html::machine_list(files, matter)) +
                                 html::configuration(files) + "</div>\n");
  return page +
         fmt::format(
             "<footer>Written {} by Eigengrad {} from the files of the run; <code>eigengrad report</code> makes it "
             "again.</footer>\n</main></body></html>\n",
             time_text(std::time(nullptr)), EIGENGRAD_VERSION);
}

// ---- What goes into it.

namespace {

bool are_images(const Shape& shape) {
  return shape.rank() == 3 && (shape[0] == 1 || shape[0] == 3) && shape[1] >= 4 && shape[2] >= 4 && shape[1] <= 256 &&
         shape[2] <= 256;
}

// An input as a picture, from its darkest value to its brightest.
std::string picture_of(const Tensor& input) {
  const Tensor image = to(input, kFloat64);
  const double low = min(image).item(), high = max(image).item();
  return io::png_data_uri((image - low) / (high > low ? high - low : 1));
}

}  // namespace

ReportMatter outline_of(const Run& run) {
  ReportMatter matter;
  matter.data = run.data.train->description();
  matter.targets = run.data.target_note;
  if (run.data.test) {
    matter.test_data = run.data.test->description();
    if (run.data.test->classes() > 0) matter.class_names = run.data.test->class_names();
  }
  matter.train_samples = run.train->dataset().size();
  const std::int64_t first = 0;
  matter.summary = nn::summary(*run.model, run.data.train->get({&first, 1}).inputs);
  return matter;
}

ReportMatter matter_of(Run& run) {
  ReportMatter matter = outline_of(run);
  if (run.data.test && run.data.test->size() > 0) {
    matter.answers = collect_answers(*run.model, *run.loss, run.data.test);
    if (are_images(run.data.test->input_shape()))
      for (const Mistake& mistake : matter.answers->mistakes)
        matter.mistake_images.push_back(picture_of(select(run.data.test->get({&mistake.sample, 1}).inputs, 0, 0)));
  }
  try {
    matter.profile = profile_step(run, *matter.summary);
  } catch (const Error& error) {  // a layer of the user's own cannot be copied
    matter.notes.push_back(fmt::format("Without the times of the layers: {}", error.what()));
  }
  return matter;
}

ReportFile::ReportFile(std::string folder, const Run& run) : folder_(std::move(folder)), matter_(outline_of(run)) {
  matter_.at_work = true;
}

void ReportFile::on_epoch_end(const EpochRecord& record) {
  if (record.seconds < next_) return;
  const auto before = std::chrono::steady_clock::now();
  try {
    io::write_file(file_in(folder_, "report.html"), report_page(folder_, matter_));
  } catch (const std::exception& error) {
    log_warning(fmt::format("the report could not be written: {}", error.what()));
  }
  const double taken = std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
  next_ = record.seconds + taken / kLargestShare;
}

void write_report(const std::string& folder, Run& run) {
  const std::string path = file_in(folder, "report.html");
  try {
    io::write_file(path, report_page(folder, matter_of(run)));
    log_info("report: " + path);
  } catch (const std::exception& error) {
    log_warning(fmt::format("the report could not be made: {}", error.what()));
  }
}

std::string remake_report(const std::string& folder, const std::string& data_folder) {
  start_logging();
  const RunFiles files(folder);
  const std::string trained_on = text_at(files.result, "data"), path = file_in(folder, "report.html");
  ReportMatter matter;
  try {
    train::Run run = build_run(files.config, file_in(folder, "config.json"), data_folder_of(folder, data_folder));
    matter = outline_of(run);
    EG_CHECK(trained_on.empty() || trained_on == matter.data, ValueError,
             "the run was trained on {}, but here are {}: name their folder (--data DIR)", trained_on, matter.data);
    run.model->load_state_dict(load_weights(folder));
    matter = matter_of(run);
    if (!files.ended())
      matter.notes.push_back("The answers are those of the model with which the run had ended before");
    if (const std::string other = other_data(folder, *run.data.train); !other.empty())
      matter.notes.push_back("The data are not those that the run was trained on: here are " + other);
  } catch (const Error& error) {
    if (!trained_on.empty()) matter.data = trained_on;
    matter.test_data.clear();
    matter.notes.push_back(fmt::format("Without the answers of the model: {}", error.what()));
  }
  matter.at_work = io::is_locked(folder);
  io::write_file(path, report_page(folder, matter));
  for (const std::string& note : matter.notes) log_warning(note);
  return path;
}

}  // namespace eigengrad::train
