// The files of GTKWave's fstapi.c, in memory. It maps its files and checks no errors, so on a full disk it dies of SIGBUS or leaves a
// dump that ends early. Here it never touches the disk. fst.cmake includes this header before fstapi.c, with BITGRID_FST_IN_MEMORY.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

namespace bitgrid::sim {

/// To read: the file of that name. To write: the memory of the descriptor whose number is the name, or memory of its own.
FILE* fst_open(const char* name, const char* mode);
FILE* fst_temporary();
/// Names of files in memory mean nothing.
inline int fst_unlink(const char*) {
  return 0;
}
// As fflush, fclose and mmap. Where memory or the size that files may have is at its end they tell the FstFile whose call this is, and let
// the caller go on: what it makes from there on is thrown away.
int fst_flush(FILE* file);
int fst_close(FILE* file);
void* fst_map(void* address, size_t bytes, int protection, int flags, int fd, off_t offset);

}  // namespace bitgrid::sim

#ifdef BITGRID_FST_IN_MEMORY
#define fopen(name, mode) bitgrid::sim::fst_open(name, mode)
#define tmpfile() bitgrid::sim::fst_temporary()
#define unlink(name) bitgrid::sim::fst_unlink(name)
#define fflush(file) bitgrid::sim::fst_flush(file)
#define fclose(file) bitgrid::sim::fst_close(file)
#define mmap(address, bytes, protection, flags, fd, offset) bitgrid::sim::fst_map(address, bytes, protection, flags, fd, offset)
#endif
