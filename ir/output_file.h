// Writes result files. Every file is written completely or not at all, to whatever the path leads to.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bitgrid {

/// One result file. Symbolic links are followed. A regular file, or a free name, keeps its old text until finish(), which replaces it in
/// one step after all the text was written. Anything else (a device, a FIFO, what /dev/stdout leads to) is written as the text comes.
///
/// The text goes to a file ".bitgrid-*.tmp" in the same folder. If a killed program leaves one behind, the next program that writes the
/// same file removes it. A replaced file keeps its permissions, and a write-protected file is not replaced.
///
/// All functions throw Error with the path, the system's reason and a cure.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  /// Discards an unfinished file; the old one stays as it was.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  const std::string& path() const { return path_; }
  void write(std::string_view text);
  /// Ends the text and closes the file descriptor. finish() calls it.
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

/// A folder of files that belong together. One process at a time may hold it. commit() gives all new files their names, one right after
/// another in the order of the add() calls, once all have been written. A failure before that leaves the folder as it was.
class OutputFolder {
 public:
  /// Makes the folder if it is missing. Throws Error if it cannot be made, or if another process holds it (the Error names the process).
  explicit OutputFolder(const std::string& dir);
  /// Releases the folder. Without commit(), it removes the folders that it made.
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  const std::string& dir() const { return dir_; }
  /// `name` is relative; its folder is made if it is missing. Temporary files that killed programs left there are removed. A file that
  /// already has this text is not touched.
  void add(const std::string& name, std::string_view text);
  /// Marks a file for removal. commit() removes it after all new files have their names. The file need not exist.
  void remove(const std::string& name);
  void commit();

 private:
  struct Unopened {};
  OutputFolder(const std::string& dir, Unopened) : dir_(dir) {}
  void lock();
  void enter(const std::string& folder);

  std::string dir_;
  std::vector<std::string> made_;     // folders, outermost first
  std::vector<std::string> entered_;  // existing folders, without old temporary files
  std::vector<std::unique_ptr<OutputFile>> files_;
  std::vector<std::string> unwanted_;
  int lock_ = -1;
};

/// Makes a folder and any missing parents. Returns the folders that it made, outermost first. Throws Error.
std::vector<std::string> make_folders(const std::string& dir);

}  // namespace bitgrid
