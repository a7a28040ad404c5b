// Numbers and names as people read them.
#pragma once

#include <ctime>
#include <string>

namespace eigengrad::train {

/// 1 234 567, with narrow spaces.
std::string grouped(double number);
/// 1.23 M and so on.
std::string abbreviated(double number);
/// "97.8 %", of a share.
std::string percent(double share);
/// "350 ms", "2 min 5 s", "3 h 12 min".
std::string duration(double seconds);
/// "2026-01-31 12:30:59", by the local clock.
std::string time_text(std::time_t time);
/// Whether a metric is a share of something, by its name: accuracy, precision, recall, F1.
bool is_share(const std::string& metric);
/// 0.1234, with more or fewer digits where it is tiny or huge.
std::string shown(double value);
/// The value of a metric, shares in percent.
std::string shown(const std::string& metric, double value);
/// "valid_f1" as "validation F1", "lr" as "learning rate".
std::string title_of(const std::string& metric);
/// With a capital letter.
std::string capital(std::string text);

}  // namespace eigengrad::train
