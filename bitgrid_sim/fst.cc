#include "bitgrid_sim/fst.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "bitgrid_sim/fst_memory.h"
#include "ir/error.h"

#ifdef BITGRID_FST
#include <fstapi.h>
#endif

namespace bitgrid::sim {

#ifdef BITGRID_FST

namespace {

/// Where GTKWave's code, called in this thread, is to leave the first error number.
thread_local int* first_error = nullptr;

void note(int error) {
  if (first_error && *first_error == 0) *first_error = error;
}

}  // namespace

FILE* fst_temporary() {
  const int fd = ::memfd_create("fst", MFD_CLOEXEC);
  return fd < 0 ? nullptr : ::fdopen(fd, "w+b");
}

FILE* fst_open(const char* name, const char* mode) {
  if (*mode == 'r') return std::fopen(name, mode);
  char* end = nullptr;
  const long number = std::strtol(name, &end, 10);
  if (*end != 0) return fst_temporary();
  const int fd = ::fcntl(static_cast<int>(number), F_DUPFD_CLOEXEC, 3);
  return fd < 0 ? nullptr : ::fdopen(fd, mode);
}

int fst_flush(FILE* file) {
  const int result = std::fflush(file);
  if (result != 0)
    note(errno);
  else if (std::ferror(file))
    note(EIO);
  return result;
}

int fst_close(FILE* file) {
  if (std::ferror(file)) note(EIO);
  const int result = std::fclose(file);
  if (result != 0) note(errno);
  return result;
}

/// Pages that are there cannot fail when they are touched.
void* fst_map(void* address, size_t bytes, int protection, int flags, int fd, off_t offset) {
  const int error = ::posix_fallocate(fd, offset, static_cast<off_t>(bytes));
  if (error != 0) note(error);
  void* memory = error == 0 ? ::mmap(address, bytes, protection, flags, fd, offset)
                            : ::mmap(address, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return memory;
}

bool has_fst() {
  return true;
}

FstFile::Memory::~Memory() {
  if (fd >= 0) ::close(fd);
}

template <typename Call>
void FstFile::call(Call body) {
  first_error = &error_;
  body();
  first_error = nullptr;
}

void FstFile::throw_error() const {
  if (error_ == 0) return;
  throw Error(path_, fmt::format("cannot be written: {}", std::strerror(error_)),
              "record fewer phases, or free memory (`ulimit -f` also limits dumps)");
}

FstFile::FstFile(const std::string& path, const std::string& scope, const std::vector<std::string>& names)
    : path_(path), file_(std::make_unique<OutputFile>(path)) {
  memory_.fd = ::memfd_create("fst", MFD_CLOEXEC);
  if (memory_.fd >= 0) writer_ = fstWriterCreate(std::to_string(memory_.fd).c_str(), 1);
  if (!writer_) throw Error(path, fmt::format("there is no memory for it: {}", std::strerror(errno)), "free some");
  call([&] {
    fstWriterSetPackType(writer_, FST_WR_PT_LZ4);
    fstWriterSetDate(writer_, "");  // equal runs write equal bytes
    fstWriterSetComment(writer_, "one timestep a phase; even phases are A");
    fstWriterSetTimescale(writer_, -9);  // a phase has no length of its own; 1 ns makes viewers show phase numbers
    fstWriterSetScope(writer_, FST_ST_VCD_MODULE, scope.c_str(), nullptr);
    for (const std::string& name : names)
      handles_.push_back(fstWriterCreateVar(writer_, FST_VT_VCD_WIRE, FST_VD_IMPLICIT, 1, name.c_str(), 0));
    fstWriterSetUpscope(writer_);
  });
}

FstFile::~FstFile() {
  if (writer_) fstWriterClose(writer_);
}

void FstFile::change(uint64_t time, size_t signal, bool value) {
  call([&] {
    if (time != time_) fstWriterEmitTimeChange(writer_, time_ = time);
    fstWriterEmitValueChange(writer_, handles_[signal], value ? "1" : "0");
  });
  throw_error();
}

void FstFile::finish(uint64_t time) {
  if (!writer_) return;
  call([&] {
    if (time != time_) fstWriterEmitTimeChange(writer_, time);
    fstWriterClose(std::exchange(writer_, nullptr));
  });
  throw_error();
  std::array<char, 65536> chunk;
  off_t at = 0;
  while (const ssize_t n = ::pread(memory_.fd, chunk.data(), chunk.size(), at)) {
    if (n < 0) throw Error(path_, fmt::format("its text cannot be read from memory: {}", std::strerror(errno)), "record fewer phases");
    file_->write({chunk.data(), static_cast<size_t>(n)});
    at += n;
  }
  file_->finish();
}

std::vector<FstSignal> read_fst(const std::string& path) {
  void* reader = fstReaderOpen(path.c_str());
  if (!reader) throw Error(path, "is not an FST waveform", "name a file that --trace wrote");
  std::vector<FstSignal> signals(fstReaderGetVarCount(reader));
  while (const fstHier* entry = fstReaderIterateHier(reader)) {
    if (entry->htyp == FST_HT_VAR && entry->u.var.handle <= signals.size()) signals[entry->u.var.handle - 1].name = entry->u.var.name;
  }
  fstReaderSetFacProcessMaskAll(reader);
  fstReaderIterBlocks(
      reader,
      [](void* user, uint64_t time, fstHandle handle, const unsigned char* value) {
        auto& all = *static_cast<std::vector<FstSignal>*>(user);
        if (handle <= all.size()) all[handle - 1].changes.emplace_back(time, value[0] == '1');
      },
      &signals, nullptr);
  fstReaderClose(reader);
  return signals;
}

#else

namespace {

Error absent(const std::string& path) {
  return Error(path, "this program was built without FST",
               "give a name that ends in .vcd, or build with verilator and zlib1g-dev installed");
}

}  // namespace

bool has_fst() {
  return false;
}
FstFile::FstFile(const std::string& path, const std::string&, const std::vector<std::string>&) {
  throw absent(path);
}
FstFile::Memory::~Memory() = default;
FstFile::~FstFile() = default;
void FstFile::change(uint64_t, size_t, bool) {}
void FstFile::finish(uint64_t) {}
std::vector<FstSignal> read_fst(const std::string& path) {
  throw absent(path);
}

#endif

}  // namespace bitgrid::sim
