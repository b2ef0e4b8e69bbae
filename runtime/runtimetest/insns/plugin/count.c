/*
 * A plugin for QEMU's user-mode emulators that counts the guest's instructions
 * and writes "instructions N" to standard error when the guest exits. The first
 * thread that a guest starts is left out: in a program in Go it is the scheduler's
 * monitor, which wakes by time.
 *
 * Distributions ship the emulators without qemu-plugin.h, so what is used of the
 * interface is declared here. It is the same in versions 1 and 2 of the
 * interface; QEMU 9 no longer loads a plugin of version 1. The Go tool does not
 * see this file: there is no Go in its folder.
 */
#include <stdint.h>
#include <stdio.h>

#ifndef VERSION
#define VERSION 1
#endif
#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_plugin_tb; /* a translated block: straight-line code */
struct qemu_info;

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *), int flags, void *);
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);

EXPORT int qemu_plugin_version = VERSION;

/* One counter for each of the guest's threads, which run at the same time; a
 * cache line each. */
enum { THREADS = 1024 };
static struct { uint64_t n, pad[7]; } counts[THREADS];

static void executed(unsigned thread, void *instructions) {
	counts[thread % THREADS].n += (uintptr_t)instructions;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb) {
	enum { NO_REGISTERS = 0 };
	(void)id;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, NO_REGISTERS, (void *)(uintptr_t)qemu_plugin_tb_n_insns(tb));
}

static void finished(plugin_id id, void *unused) {
	enum { MAIN, MONITOR, OTHERS };
	uint64_t total = counts[MAIN].n;
	(void)id, (void)unused;
	for (int i = OTHERS; i < THREADS; i++)
		total += counts[i].n;
	fprintf(stderr, "instructions %llu\n", (unsigned long long)total);
}

EXPORT int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv) {
	(void)info, (void)argc, (void)argv;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finished, 0);
	return 0;
}
