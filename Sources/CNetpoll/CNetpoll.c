#include "CNetpoll.h"
