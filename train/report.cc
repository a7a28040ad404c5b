#include "eigengrad/train/report.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "eigengrad/config/value.h"
#include "eigengrad/core/check.h"
#include "eigengrad/io/file.h"
#include "eigengrad/train/wording.h"

namespace eigengrad::train {
namespace {

constexpr int kBarWidth = 28;
constexpr double kSecondsBetweenDraws = 0.1, kSecondsBetweenLines = 30;  // on a terminal, and elsewhere

}  // namespace

ConsoleReport::ConsoleReport(double seconds)
    : terminal_(::isatty(STDERR_FILENO) == 1), last_told_(seconds), epoch_started_(seconds) {}

void ConsoleReport::on_fit_begin(std::int64_t steps_per_epoch) { steps_per_epoch_ = steps_per_epoch; }

void ConsoleReport::on_step_end(const TrainState& state) {
  if (state.seconds - last_told_ < (terminal_ ? kSecondsBetweenDraws : kSecondsBetweenLines)) return;
  last_told_ = state.seconds;
  const std::int64_t done = state.step - state.epoch * steps_per_epoch_;
  const double share = static_cast<double>(done) / static_cast<double>(steps_per_epoch_);
  const std::string loss = shown(state.metrics.at("loss"));
  if (!terminal_) {
    log_info(fmt::format("epoch {:>3}  step {} of {}, loss {}", state.epoch + 1, done, steps_per_epoch_, loss));
    return;
  }
  bar_shown_ = true;
  const auto filled = static_cast<std::size_t>(std::min(1.0, share) * kBarWidth);
  std::fprintf(stderr, "\r\033[Kepoch %lld  [%s%s] %3.0f %%  loss %s", static_cast<long long>(state.epoch + 1),
               std::string(filled, '=').c_str(), std::string(kBarWidth - filled, ' ').c_str(), 100 * share,
               loss.c_str());
  std::fflush(stderr);
}

void ConsoleReport::clear_bar() {
  if (bar_shown_) std::fputs("\r\033[K", stderr);
  bar_shown_ = false;
}

void ConsoleReport::on_epoch_end(const EpochRecord& record) {
  clear_bar();
  std::string line = fmt::format("epoch {:>3}", record.epoch);
  for (const std::string prefix : {"", "valid_"}) {
    if (const auto loss = record.metrics.find(prefix + "loss"); loss != record.metrics.end())
      line += fmt::format("  {} {}", loss->first, shown(loss->second));
    for (const auto& [name, value] : record.metrics)
      if (name.starts_with("valid_") == !prefix.empty() && name != prefix + "loss" && name != "grad_norm" &&
          name != "lr")
        line += fmt::format("  {} {}", name, shown(value));
  }
  log_info(line + fmt::format("  ({:.1f} s)", record.seconds - epoch_started_));
  epoch_started_ = last_told_ = record.seconds;
}

void ConsoleReport::on_fit_end(const FitResult& result) {
  clear_bar();
  const std::string line = fmt::format("stopped by {}: {}", result.stopped_by.kind, result.stopped_by.text);
  result.stopped_by.kind == kNonFinite ? log_warning(line) : log_info(line);
}

namespace {

std::string line_of(const EpochRecord& record) {
  config::Value line = config::Value::object();
  line.set("epoch", record.epoch);
  line.set("step", record.step);
  line.set("seconds", record.seconds);
  for (const auto& [name, value] : record.metrics) line.set(name, value);
  return config::to_json(line, -1) + "\n";
}

}  // namespace

MetricsFile::MetricsFile(std::string path, const std::vector<EpochRecord>& history) : path_(std::move(path)) {
  std::string lines;
  for (const EpochRecord& record : history) lines += line_of(record);
  io::write_file(path_, lines);
  file_.open(path_, std::ios::app);
  EG_CHECK(file_.is_open(), IoError, "cannot write {}: {}", path_, std::strerror(errno));
}

void MetricsFile::on_epoch_end(const EpochRecord& record) {
  file_ << line_of(record) << std::flush;
  EG_CHECK(file_.good(), IoError, "cannot write {}: {}", path_, std::strerror(errno));
}

void start_logging(const std::string& file) {
  auto console = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  console->set_color(spdlog::level::info, "");  // colour is for warnings
  console->set_pattern("%^%v%$");
  std::vector<spdlog::sink_ptr> sinks{std::move(console)};
  if (!file.empty()) {
    try {
      sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(file, false));
    } catch (const spdlog::spdlog_ex& error) {
      throw IoError(fmt::format("cannot write {}: {}", file, error.what()));
    }
    sinks[1]->set_pattern("%Y-%m-%d %H:%M:%S %l %v");
  }
  auto logger = std::make_shared<spdlog::logger>("eigengrad", sinks.begin(), sinks.end());
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

// The text is an argument, never the format: it may hold a user's names.
void log_info(const std::string& text) { spdlog::info("{}", text); }
void log_warning(const std::string& text) { spdlog::warn("{}", text); }

}  // namespace eigengrad::train
