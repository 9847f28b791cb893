"""Abstract sentences and their parts; each can be said in English and in German."""
