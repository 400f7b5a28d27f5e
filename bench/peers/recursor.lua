rpzFile("@DIRECTORY@/block.rpz", {defpol=Policy.NXDOMAIN})
