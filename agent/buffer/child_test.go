package buffer

func childMain(string) int { return 0 }
