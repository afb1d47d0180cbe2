// How every file of results is written: whole or not at all, into whatever the path leads to.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bitgrid {

/// One file of results. Symbolic links are followed. A regular file, or a name that is free, gets the new text at once and only when all of
/// it could be written: until finish() the old text stays. What is not a regular file (a device, a FIFO, what /dev/stdout leads to) is
/// written into as the text comes.
///
/// The text goes to a file ".bitgrid-*.tmp" in the same folder. One left by a killed program is removed by the next program that
/// writes the same file. A replaced file keeps its permissions; one that is write-protected is not replaced.
///
/// All functions throw Error naming the path, the system's reason and a cure.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  /// Discards an unfinished file; the old one stays as it was.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  const std::string& path() const { return path_; }
  void write(std::string_view text);
  /// Ends the text; no file descriptor is held afterwards. finish() calls it.
  void close();
  /// Gives the file its name.
  void finish();

 private:
  struct Unopened {};
  OutputFile(const std::string& path, Unopened) : path_(path) {}
  void open();
  void open_in_place(bool truncate);
  void open_temporary(const std::string& name, unsigned mode);
  [[noreturn]] void fail(int error) const;

  std::string path_;       // as the user wrote it
  std::string target_;     // what it leads to
  std::string temporary_;  // empty: written in place, or finished
  int fd_ = -1;
};

/// A folder whose files belong together. One process at a time may hold it. New files appear under their names in commit(), one right
/// after another and in the order in which they were added, when all could be written; what fails before leaves the folder as it was.
class OutputFolder {
 public:
  /// Makes the folder if it is missing. Throws Error if it cannot be made, or naming the process that holds it.
  explicit OutputFolder(const std::string& dir);
  /// Releases the folder. Without commit(), folders that were made here are removed again.
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  const std::string& dir() const { return dir_; }
  /// `name` is relative; its folder is made if it is missing. Temporary files of killed programs there are removed. A file that has this
  /// text already is not touched.
  void add(const std::string& name, std::string_view text);
  /// To be removed by commit(), after all new files have their names. Need not exist.
  void remove(const std::string& name);
  void commit();

 private:
  struct Unopened {};
  OutputFolder(const std::string& dir, Unopened) : dir_(dir) {}
  void lock();
  void enter(const std::string& folder);

  std::string dir_;
  std::vector<std::string> made_;     // folders, outermost first
  std::vector<std::string> entered_;  // folders that are there and free of old temporary files
  std::vector<std::unique_ptr<OutputFile>> files_;
  std::vector<std::string> unwanted_;
  int lock_ = -1;
};

/// Makes a folder and those above it where they are missing; returns those made, outermost first. Throws Error.
std::vector<std::string> make_folders(const std::string& dir);

}  // namespace bitgrid
