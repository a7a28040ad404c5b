#include "eigengrad/data/csv.h"

#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include "eigengrad/core/check.h"
#include "eigengrad/core/utf8.h"

namespace eigengrad::data {
namespace {

constexpr std::size_t kBuffer = std::size_t{1} << 16;
constexpr std::size_t kMostShown = 40;  // bytes of a field in a message

std::string shown(std::string_view text) {
  return text.size() <= kMostShown ? printable(text) : printable(text.substr(0, kMostShown)) + "...";
}

// The number that a text is, and how it went: invalid_argument for what is none.
std::pair<double, std::errc> parsed(std::string_view text, char decimal) {
  std::string with_point;
  if (decimal != '.') {
    with_point = text;
    for (char& c : with_point) c = c == decimal ? '.' : c == '.' ? decimal : c;
    text = with_point;
  }
  const char* const begin = text.data() + (text.starts_with('+') && !text.starts_with("+-") ? 1 : 0);
  double value = 0;
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  const bool whole = end == text.data() + text.size() && (error != std::errc() || std::isfinite(value));
  return {value, whole ? error : std::errc::invalid_argument};
}

}  // namespace

bool is_number(std::string_view text, char decimal) {
  return parsed(text, decimal).second != std::errc::invalid_argument;
}

bool has_decimal_comma(std::string_view text) {
  return text.find(',') != std::string_view::npos && is_number(text, ',');
}

CsvReader::CsvReader(const std::string& path, char separator, char decimal)
    : file_(path), separator_(separator), decimal_(decimal), buffer_(kBuffer) {
  EG_CHECK(separator > 0 && separator != '"' && separator != '\n' && separator != '\r', ValueError,
           "[CsvReader] the separator must be a character of ASCII, neither a quote nor a line break");
  peek();
  const std::string_view start(reinterpret_cast<const char*>(buffer_.data()), available_);
  if (start.starts_with("\xEF\xBB\xBF")) next_ = 3;
}

bool CsvReader::next() {
  text_.clear();
  fields_.clear();
  do skip_blanks();
  while (take_line_break());
  if (peek() == kEnd) return false;
  for (read_field(); peek() == separator_; read_field()) take();
  take_line_break();
  check_record();
  return true;
}

std::string_view CsvReader::operator[](std::size_t field) const {
  const Field& f = fields_[field];
  return std::string_view(text_).substr(f.begin, f.end - f.begin);
}

double CsvReader::number(std::size_t field, std::string_view what) const {
  const std::string_view text = (*this)[field];
  const auto [value, error] = parsed(text, decimal_);
  if (error == std::errc::result_out_of_range)
    fail(field, fmt::format("{}: found {}, which is beyond the numbers of double", what, shown(text)));
  if (error != std::errc()) fail(field, fmt::format("{}: found '{}', expected a number", what, shown(text)));
  return value;
}

bool CsvReader::is_number(std::size_t field) const { return data::is_number((*this)[field], decimal_); }

void CsvReader::fail(std::size_t field, const std::string& message) const {
  if (field < fields_.size()) fail_at(fields_[field].line, fields_[field].column, message);
  fail_at(line(), fields_.back().column + static_cast<std::int64_t>(fields_.back().end - fields_.back().begin),
          message);
}

void CsvReader::fail_at(std::int64_t line, std::int64_t column, const std::string& message) const {
  throw FormatError(fmt::format("{}:{}:{}: {}", file_.name(), line, column, message));
}

int CsvReader::peek() {
  if (next_ == available_) {
    next_ = 0;
    available_ = file_.read(buffer_);
    if (available_ == 0) return kEnd;
  }
  return buffer_[next_];
}

int CsvReader::take() {
  const int c = peek();
  if (c == kEnd) return c;
  ++next_;
  c == '\n' ? (++line_, column_ = 1) : ++column_;
  return c;
}

bool CsvReader::take_line_break() {
  if (peek() == '\r') {
    const std::int64_t column = column_;
    take();
    if (peek() != '\n' && peek() != kEnd)
      fail_at(line_, column, "found a carriage return without a line feed behind it");
    take();
    return true;
  }
  return peek() == '\n' && take();
}

void CsvReader::skip_blanks() {
  while ((peek() == ' ' || peek() == '\t') && peek() != separator_) take();
}

bool CsvReader::at_field_end() {
  const int c = peek();
  return c == kEnd || c == '\n' || c == '\r' || c == separator_;
}

void CsvReader::read_field() {
  skip_blanks();
  fields_.push_back({text_.size(), 0, line_, column_});
  if (fields_.size() > kMaxFields)
    fail_at(line_, column_, fmt::format("found more than {} fields in a record", kMaxFields));
  peek() == '"' ? read_quoted() : read_plain();
  if (!at_field_end()) fail_at(line_, column_, "found more behind a closing quote, expected a separator");
}

void CsvReader::read_quoted() {
  take();
  while (true) {
    const int c = take();
    if (c == kEnd) fail_at(fields_.back().line, fields_.back().column, "the quote that begins here is not closed");
    if (c == '"' && peek() != '"') break;
    append(c == '"' ? take() : c);
  }
  fields_.back().end = text_.size();
  skip_blanks();
}

void CsvReader::read_plain() {
  while (!at_field_end()) {
    if (peek() == '"') fail_at(line_, column_, "found a quote within a field that does not begin with one");
    append(take());
  }
  std::size_t end = text_.size();
  while (end > fields_.back().begin && (text_[end - 1] == ' ' || text_[end - 1] == '\t')) --end;
  fields_.back().end = end;
}

void CsvReader::append(int c) {
  if (c == '\0') fail_at(line_, column_ - 1, "found a NUL character");
  if (text_.size() == kMaxRecord)
    fail_at(fields_.front().line, 1, fmt::format("found a record of more than {} bytes", kMaxRecord));
  text_ += static_cast<char>(c);
}

void CsvReader::check_record() const {
  for (std::size_t i = 0; i < fields_.size(); ++i)
    if (!is_utf8((*this)[i])) fail(i, fmt::format("found '{}', which is not UTF-8", shown((*this)[i])));
}

}  // namespace eigengrad::data
