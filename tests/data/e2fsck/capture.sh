#!/bin/bash
# Makes this folder's outputs anew, of real e2fsck on file systems that are damaged for it.
#
#   tests/data/e2fsck/capture.sh
#
# NAME.out is standard output and error as one, NAME.progress what `-C FD` wrote, NAME.code the
# exit code. Needs e2fsprogs; works in a temporary folder, as anybody.
set -u
export LC_ALL=C
HERE=$(cd "$(dirname "$0")" && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cd "$WORK"
rm -f "$HERE"/*.out "$HERE"/*.progress "$HERE"/*.code

# A file system of 24 MiB: 40 files and an empty one in /home, a folder with a file in it, one large file.
make() {
    mkdir -p tree/home tree/etc/deep
    for n in $(seq 40); do head -c $((n * 211)) /dev/zero | tr '\0' "$((n % 10))" >"tree/home/file$n"; done
    echo 'NAME="Practice"' >tree/etc/os-release
    : >tree/home/empty
    echo deep >tree/etc/deep/file
    head -c 700000 /dev/zero | tr '\0' x >tree/home/large
    rm -f stick.img
    truncate -s 24M stick.img
    mkfs.ext4 -q -F -b 1024 -I 256 -U 4c8f3b8e-8a0a-4f2b-9d53-6d3f5f1d2a11 -d tree "$@" stick.img
}
change() { # requests, one a line
    debugfs -w -f /dev/stdin stick.img >/dev/null 2>&1
}
run() { # NAME ARGUMENTS...
    local name=$1
    shift
    e2fsck -C 3 "$@" stick.img >"$HERE/$name.out" 2>&1 3>"$HERE/$name.progress"
    echo $? >"$HERE/$name.code"
}
inode() { # of a path
    debugfs -R "stat $1" stick.img 2>/dev/null | sed -n 's/^Inode: \([0-9]*\) .*/\1/p'
}
block() { # the first block of a path
    debugfs -R "blocks $1" stick.img 2>/dev/null | cut -d ' ' -f 1
}

# Nothing is wrong.
make
run sound -f -n

# A transaction in the journal that was never written to its place: one block of a folder.
make
dd if=stick.img of=block bs=1024 skip="$(block /home)" count=1 2>/dev/null
change <<END
jo
jw -b $(block /home) block
jc
END
cp stick.img dirty.img
run journal-skipped -f -n
run journal-only -E journal_only -y
run journal-after -f -n
cp dirty.img stick.img
run journal-and-all -f -y

# The counts in the superblock and in a group are wrong, and the file system is flagged clean.
make
change <<END
ssv free_blocks_count 5
ssv free_inodes_count 7
set_bg 0 free_blocks_count 3
set_bg 0 checksum calc
END
run counts-preview -f -n
run counts-repair -f -y

# A file that was deleted while it was open, when the power went.
make
change <<END
ssv last_orphan $(inode /home/file7)
sif /home/file7 links_count 0
sif /home/file7 dtime 0
unlink /home/file7
END
run orphan -f -y

# A file and a folder lose their names; a file of no bytes, too.
make
change <<END
unlink /home/file3
unlink /etc/deep
unlink /home/empty
END
run unattached-preview -f -n
run unattached -f -y

# Two names that lead to inodes that are none any more, and a wrong count of links.
make
change <<END
clri /home/file9
clri /home/file10
sif /home/file11 links_count 5
END
run entries -f -y

# Two files with the same blocks.
make -O ^extents,^metadata_csum,^64bit
change <<END
sif /home/file21 block[0] $(block /home/file20)
END
run shared -f -y

# A folder's block is overwritten.
make
dd if=/dev/urandom of=stick.img bs=1024 seek="$(block /etc)" count=1 conv=notrunc 2>/dev/null
run folder -f -y
run folder-again -f -n

# A part of the inode table is overwritten; the size of a file is wrong.
make
change <<END
sif /home/large size 5
sif /home/file30 i_mode 0
END
table=$(dumpe2fs stick.img 2>/dev/null | sed -n 's/.*Inode table at \([0-9]*\)-.*/\1/p' | head -n 1)
tr '\0' '\252' </dev/zero | dd of=stick.img bs=1024 seek=$((table + 5)) count=2 conv=notrunc 2>/dev/null
run inodes-preview -f -n
run inodes -f -y
run inodes-again -f -n

# Bitmaps: a block in use is marked free.
make
change <<END
freeb $(block /home/large) 20
END
run bitmaps -f -y

# The journal's own superblock is overwritten.
make
dd if=/dev/urandom of=stick.img bs=1024 seek="$(block '<8>')" count=1 conv=notrunc 2>/dev/null
run journal-damaged-preview -f -n
run journal-damaged -f -y

# No superblock at all; cut off; a wrong option; no such file.
make
dd if=/dev/zero of=stick.img bs=1024 count=2000 conv=notrunc 2>/dev/null
run no-superblock -f -n
make
truncate -s 12M stick.img
run cut-off -f -n
run usage -f -Q
rm stick.img
run missing -f -n
