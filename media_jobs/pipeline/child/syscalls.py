"""System calls that a decoder never needs, by what they are refused for, with their numbers on x86-64 and arm64.

None: that machine does not have it. Numbers from Linux's `unistd_64.h` and `asm-generic/unistd.h`.
"""

#: Later calls, mostly new ways to do what is refused here, look like an older kernel to the C library. Linux 6.5.
NEWEST_KNOWN = 451

_TALK = {  # to the network, or to another process
    "socket": (41, 198),
    "socketpair": (53, 199),
    "bind": (49, 200),
    "connect": (42, 203),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "recvfrom": (45, 207),
    "recvmsg": (47, 212),
    "recvmmsg": (299, 243),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "semctl": (66, 191),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # Folders, also those that it may not open, tell of what happens in them.
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
}
_START_PROGRAMS = {
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
}
_REACH_INTO_PROCESSES = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
}
#: Links and devices would mislead whoever reads the outputs, folders in folders whoever removes them. Landlock leaves
#: owners, modes, times and attributes alone, and sizes before its third version.
_CHANGE_FILES_OTHERWISE_THAN_BY_WRITING = {
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "link": (86, None),
    "linkat": (265, 37),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "truncate": (76, 45),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
}
_CHANGE_THE_FILE_SYSTEM = {
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
}
_BECOME_ANOTHER = {
    "setuid": (105, 146),
    "setgid": (106, 144),
    "setreuid": (113, 145),
    "setregid": (114, 143),
    "setresuid": (117, 147),
    "setresgid": (119, 149),
    "setgroups": (116, 159),
    "setfsuid": (122, 151),
    "setfsgid": (123, 152),
    "capset": (126, 91),
    "personality": (135, 92),
    "unshare": (272, 97),
    "setns": (308, 268),
}
#: Room that is neither address space nor counted as written, and a way to wake up while the parent has it stopped.
_PASS_BY_LIMITS = {
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "fallocate": (285, 47),
    "timer_create": (222, 107),
}
#: Where most ways from a process into the kernel were found.
_KERNEL_MACHINERY = {
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "splice": (275, 76),
    "tee": (276, 77),
    "vmsplice": (278, 75),
    "lookup_dcookie": (212, 18),
    "modify_ldt": (154, None),
}
_RUN_THE_MACHINE = {
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "syslog": (103, 116),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "vhangup": (153, 58),
    "iopl": (172, None),
    "ioperm": (173, None),
}

REFUSED: dict[str, tuple[int, int | None]] = {
    **_TALK,
    **_START_PROGRAMS,
    **_REACH_INTO_PROCESSES,
    **_CHANGE_FILES_OTHERWISE_THAN_BY_WRITING,
    **_CHANGE_THE_FILE_SYSTEM,
    **_BECOME_ANOTHER,
    **_PASS_BY_LIMITS,
    **_KERNEL_MACHINERY,
    **_RUN_THE_MACHINE,
}
#: What a process needs that becomes decoders: it forks, is sent their pipes, and confines them further.
FORKS = frozenset({"fork", "recvmsg", "sendto", "capset"})
#: They hide their flags behind a pointer, where no filter can look. Without them, libraries use clone and openat.
HIDING = {"clone3": (435, 435), "openat2": (437, 437)}
#: Refused or not by their arguments.
CLONE = (56, 220)
OPEN = (2, None)
OPENAT = (257, 56)
FCNTL = (72, 25)
TGKILL = (234, 131)
PRLIMIT64 = (302, 261)
PRCTL = (157, 167)
IOCTL = (16, 29)
