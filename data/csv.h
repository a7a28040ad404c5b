// Tables of text: comma-separated values (RFC 4180).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "eigengrad/core/file.h"

namespace eigengrad::data {

/// Whether a text is a number, even one beyond double, whose decimals stand behind `decimal`.
bool is_number(std::string_view text, char decimal = '.');
/// Whether it is one with a comma before its decimals: "3,14".
bool has_decimal_comma(std::string_view text);

/// The records of a file, one after another. Fields may stand in quotes, and then hold separators, line breaks and
/// doubled quotes; blanks around fields are left out, empty lines skipped. Lines end with LF or CRLF; a byte order mark
/// is skipped. Whatever breaks these rules, NUL characters and what is not UTF-8 is a FormatError "file:line:column:
/// found …, expected …", with lines and columns (in bytes) counted from 1. A record may have kMaxRecord bytes and
/// kMaxFields fields, so that memory stays small whatever the file.
class CsvReader {
 public:
  static constexpr std::size_t kMaxRecord = std::size_t{1} << 20;  ///< the longest record, in bytes
  static constexpr std::size_t kMaxFields = 100'000;               ///< the most fields of a record

  /// `decimal` stands before the decimals of numbers. Throws IoError when the file cannot be read, ValueError for a
  /// separator that is a quote or a line break.
  explicit CsvReader(const std::string& path, char separator = ',', char decimal = '.');

  /// Reads the next record; false at the end of the file.
  bool next();
  /// The number of fields of the record.
  std::size_t size() const { return fields_.size(); }
  /// The text of a field, without its quotes.
  std::string_view operator[](std::size_t field) const;
  /// The line on which the record begins.
  std::int64_t line() const { return fields_.front().line; }
  /// The number that a field holds: with or without decimals and exponent, whatever the locale. Throws FormatError for
  /// anything else, also for one beyond double and for NaN and infinity. `what` names the field in the message.
  double number(std::size_t field, std::string_view what) const;
  /// Whether a field holds a number, even one beyond double.
  bool is_number(std::size_t field) const;
  /// Throws FormatError at a field; one beyond the last stands for the end of the record.
  [[noreturn]] void fail(std::size_t field, const std::string& message) const;

 private:
  struct Field {
    std::size_t begin, end;  // in text_
    std::int64_t line, column;
  };
  static constexpr int kEnd = -1;

  int peek();
  int take();
  bool at_field_end();
  bool take_line_break();
  void skip_blanks();
  void read_field();
  void read_quoted();
  void read_plain();
  void check_record() const;
  void append(int c);
  [[noreturn]] void fail_at(std::int64_t line, std::int64_t column, const std::string& message) const;

  RegularFile file_;
  const char separator_, decimal_;
  std::vector<std::uint8_t> buffer_;
  std::size_t next_ = 0, available_ = 0;
  std::int64_t line_ = 1, column_ = 1;  // of what comes next
  std::string text_;                    // of all fields of the record
  std::vector<Field> fields_;
};

}  // namespace eigengrad::data
