/*
 * The floor of what sockets cost: frames with a length ahead over Unix sockets, from one process to others, in batches that each
 * of them is written. The receivers check the length and the number of every frame.
 *
 *   floor CONSUMERS EVENTS BYTES
 *
 * Prints deliveries per second of all consumers together, and seconds of CPU per million deliveries of all processes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64 * 1024, CHUNK = 256 * 1024, MOST_CONSUMERS = 256 };

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static uint32_t length_at(const unsigned char *at) {
  return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

/* Returns when all frames have come, in order. */
static void consume(int socket, uint32_t events, uint32_t bytes) {
  static unsigned char chunk[CHUNK];
  size_t held = 0;
  uint32_t next = 0;
  while (next < events) {
    ssize_t got = read(socket, chunk + held, sizeof chunk - held);
    if (got <= 0) fail("read");
    size_t end = held + (size_t)got, at = 0;
    while (end - at >= 4) {
      uint32_t length = length_at(chunk + at);
      if (length != bytes) exit(3);
      if (end - at < 4 + (size_t)length) break;
      uint32_t number;
      memcpy(&number, chunk + at + 4, sizeof number);
      if (number != next++) exit(4);
      at += 4 + (size_t)length;
    }
    held = end - at;
    memmove(chunk, chunk + at, held);
  }
}

static void write_all(int socket, const unsigned char *batch, size_t size) {
  struct iovec vector = {(void *)batch, size};
  while (vector.iov_len > 0) {
    ssize_t written = writev(socket, &vector, 1);
    if (written < 0 && errno != EINTR) fail("writev");
    if (written < 0) continue;
    vector.iov_base = (char *)vector.iov_base + written;
    vector.iov_len -= (size_t)written;
  }
}

static void produce(const int *sockets, int consumers, uint32_t events, uint32_t bytes) {
  static unsigned char batch[BATCH], payload[BATCH];
  size_t frame = 4 + (size_t)bytes, used = 0;
  for (uint32_t number = 0; number < events; number++) {
    if (used + frame > sizeof batch) {
      for (int index = 0; index < consumers; index++) write_all(sockets[index], batch, used);
      used = 0;
    }
    unsigned char *at = batch + used;
    memcpy(payload, &number, sizeof number);
    at[0] = bytes >> 24, at[1] = bytes >> 16, at[2] = bytes >> 8, at[3] = bytes;
    memcpy(at + 4, payload, bytes);
    used += frame;
  }
  for (int index = 0; index < consumers; index++) write_all(sockets[index], batch, used);
}

static double cpu_of(int who) {
  struct rusage usage;
  getrusage(who, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int count, char **arguments) {
  int consumers = count > 1 ? atoi(arguments[1]) : 0;
  long events = count > 2 ? atol(arguments[2]) : 0, bytes = count > 3 ? atol(arguments[3]) : 0;
  if (consumers < 1 || consumers > MOST_CONSUMERS || events < 1 || bytes < 4 || bytes > BATCH - 4) {
    fprintf(stderr, "usage: floor CONSUMERS EVENTS BYTES\n");
    return 2;
  }
  int sockets[MOST_CONSUMERS];
  for (int index = 0; index < consumers; index++) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) fail("socketpair");
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
      close(pair[0]);
      for (int other = 0; other < index; other++) close(sockets[other]);
      consume(pair[1], (uint32_t)events, (uint32_t)bytes);
      _exit(0);
    }
    close(pair[1]);
    sockets[index] = pair[0];
  }
  double startedAt = seconds();
  produce(sockets, consumers, (uint32_t)events, (uint32_t)bytes);
  int isOk = 1;
  for (int index = 0, status; index < consumers; index++) {
    if (wait(&status) < 0) fail("wait");
    isOk = isOk && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  double elapsed = seconds() - startedAt, deliveries = (double)events * consumers;
  if (!isOk) {
    fprintf(stderr, "floor: expected every frame once and in order\n");
    return 1;
  }
  double cpu = cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN);
  printf("{\"eventsPerSecond\":%.0f,\"cpuSecondsPerMillion\":%.4f}\n", deliveries / elapsed, cpu / deliveries * 1e6);
  return 0;
}
