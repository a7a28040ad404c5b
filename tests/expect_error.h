// Exceptions and what they say.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <string>

namespace eigengrad {

/// Expects an E from f, with all of the words in its message.
template <class E>
void expect_error(const std::function<void()>& f, std::initializer_list<std::string> words) {
  try {
    f();
    ADD_FAILURE() << "no error";
  } catch (const E& error) {
    for (const std::string& word : words)
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos)
          << "'" << word << "' is not in: " << error.what();
  }
}

template <class E>
void expect_error(const std::function<void()>& f, const char* words) {
  expect_error<E>(f, {std::string(words)});
}

}  // namespace eigengrad
