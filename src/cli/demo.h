// `sekisho serve --demo DIR`: a gateway with something to show, from nothing.
//
// Owner:    main.  Thread: main.  Failure: throws one line.
//
// In DIR it makes two folders of objects, a key that nobody else has, and the configuration it runs with, so
// that what was seen can be read, changed and started again with `-c`. Existing files are left alone, so that
// a second start keeps the key.
#pragma once

#include <string>
#include <vector>

namespace cli {

struct Demo {
  std::string config_file;
  std::string key_file;
};

Demo make_demo(const std::string& folder, const std::string& listen);

// The three commands to paste: a public object, a private one without a token, and with one.
std::vector<std::string> demo_commands(const Demo& demo, const std::string& address);

}  // namespace cli
